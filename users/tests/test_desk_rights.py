"""Who may do what at the admin site without a permission of their own."""

from __future__ import annotations

from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.auth.models import Permission
from django.test import TestCase
from django.urls import reverse

from core.testing import context_of, undrawn
from users.models import User
from users.tests.factories import make_admin, make_user


class DeskRightsTests(TestCase):
    def opened(self, who: User) -> dict[str, int]:
        self.client.force_login(who)
        names = (
            "users_user_add",
            *(f"{name}_changelist" for name in ("users_user", "core_auditevent", "auth_group")),
        )
        with undrawn():
            return {name: self.client.get(reverse(f"admin:{name}")).status_code for name in names}

    def test_admins_of_the_staff_need_no_permission_save_to_give_rights(self) -> None:
        found = self.opened(make_admin(is_staff=True))

        self.assertEqual(found.pop("auth_group_changelist"), 403)
        self.assertEqual(set(found.values()), {200})

    def test_to_others_and_to_those_who_may_not_enter_nothing_opens(self) -> None:
        self.assertEqual(set(self.opened(make_user(is_staff=True, role="mentor")).values()), {403})
        self.assertEqual(set(self.opened(make_admin()).values()), {302})
        ended = make_admin(is_staff=True)
        User.objects.filter(pk=ended.pk).update(status=User.Status.INACTIVE)
        self.assertEqual(set(self.opened(ended).values()), {302})

    def test_nobody_makes_superusers_or_hands_out_permissions_thereby(self) -> None:
        who, other = make_admin(is_staff=True), make_user()
        self.client.force_login(who)
        page = reverse("admin:users_user_change", args=[other.pk])
        fields = context_of(self.client, page)["adminform"].form.fields

        self.assertEqual({"is_staff", "is_superuser", "groups", "user_permissions"} & set(fields), set())
        desk = PermissionGroup.objects.create(name="Desk")
        desk.permissions.set(Permission.objects.all())
        self.client.post(page, {"email": other.email, "is_superuser": "on", "groups": [desk.pk]})
        other.refresh_from_db()
        self.assertEqual((other.is_superuser, other.groups.count()), (False, 0))
