"""Every write at the admin site leaves an audit row, with the names of what changed and no value of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import Group as PermissionGroup
from django.test import TestCase
from django.urls import reverse

from announcements.models import Announcement
from core.admin import HouseAdmin, LookOnly, changed_fields
from core.models import AuditEvent
from groups.models import Group
from groups.tests.factories import make_group
from resources.models import Resource
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from django.db.models import Model

ANNOUNCEMENT = {
    "title": "News",
    "summary": "Short",
    "content": "",
    "author": "Team",
    "audience": "all",
    "link": "",
}


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


class AuditTests(TestCase):
    def setUp(self) -> None:
        self.staff = make_superuser()
        self.client.force_login(self.staff)

    def recorded(self) -> list[tuple[str, str, dict[str, Any]]]:
        events = AuditEvent.objects.filter(actor_id=self.staff.pk).order_by("id")
        return list(events.values_list("action", "object_type", "changes"))

    def test_every_page_that_writes_records(self) -> None:
        """A page that does not come from HouseAdmin must be one to look at."""
        for model, model_admin in admin.site._registry.items():
            with self.subTest(model=model._meta.label):
                writes = (
                    not isinstance(model_admin, LookOnly) and model._meta.app_label != "django_tasks_database"
                )
                self.assertEqual(isinstance(model_admin, HouseAdmin), writes)

    def test_adding_changing_and_deleting(self) -> None:
        """What a desk may do: no service writes it."""
        self.client.post(page(PermissionGroup, "add"), {"name": "Desk", "permissions": [1]})
        desk = PermissionGroup.objects.get()
        self.client.post(page(PermissionGroup, "change", desk.pk), {"name": "Secret", "permissions": [1]})
        self.client.post(page(PermissionGroup, "delete", desk.pk), {"post": "yes"})

        kind = "auth.group"
        self.assertEqual(
            self.recorded(),
            [("added", kind, {}), ("changed", kind, {"fields": ["Name"]}), ("deleted", kind, {})],
        )
        self.assertEqual({event.object_id for event in AuditEvent.objects.all()}, {str(desk.pk)})
        self.assertEqual({event.address for event in AuditEvent.objects.all()}, {"127.0.0.1"})

    def test_deleting_several_at_once_records_each(self) -> None:
        chosen = [Resource.objects.create(title=f"{n}", type="guide", file_url="a.pdf").pk for n in range(3)]

        self.client.post(
            page(Resource, "changelist"),
            {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
        )

        deleted = AuditEvent.objects.filter(action="resource_deleted")
        self.assertEqual({int(event.object_id) for event in deleted}, set(chosen))

    def test_who_joins_a_group_is_recorded_once(self) -> None:
        group, joining = make_group(), make_user()
        rows = {"members-TOTAL_FORMS": 1, "members-INITIAL_FORMS": 0, "members-0-user": joining.pk}
        none = {
            f"{prefix}-{which}_FORMS": 0
            for prefix in ("milestones", "past_members")
            for which in ("TOTAL", "INITIAL")
        }
        fields = {
            "name": group.name,
            "track": "",
            "status": "active",
            "mentor": "",
            "members-0-role": "student",
        }

        self.client.post(page(Group, "change", group.pk), {**fields, **rows, **none})

        self.assertEqual(group.members.count(), 1)
        self.assertEqual(self.recorded(), [("members_added", "groups.group", {"users": [joining.pk]})])

    def test_a_form_that_is_refused_records_nothing(self) -> None:
        self.client.post(page(Announcement, "add"), {**ANNOUNCEMENT, "title": ""})

        self.assertEqual(self.recorded(), [])


class ChangedFieldsTests(TestCase):
    def test_names_alone_are_taken_from_a_message(self) -> None:
        for message, expected in (
            ([], []),
            ([{"added": {}}], []),
            ([{"changed": {"fields": ["Role", "Track"]}}], ["Role", "Track"]),
            (
                [
                    {"changed": {"fields": ["Role"]}},
                    {"changed": {"name": "profile", "object": "Ada", "fields": ["Bio"]}},
                    {"deleted": {"name": "member", "object": "Ada"}},
                ],
                ["Bio", "Role"],
            ),
        ):
            with self.subTest(message=message):
                self.assertEqual(changed_fields(message), expected)
