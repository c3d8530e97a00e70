"""Sitting at the admin site's pages of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.test import TestCase
from django.urls import reverse

from core.models import AuditEvent
from core.testing import context_of
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

    from django.db.models import Model

    from users.models import User


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:groups_{model._meta.model_name}_{name}", args=args)


def make_staff(*verbs: str, **fields: Any) -> User:
    """Return somebody at the desk with these permissions on all tables of groups."""
    staff = make_user(is_staff=True, status="active", **fields)
    of_groups = Permission.objects.filter(content_type__app_label="groups")
    staff.user_permissions.set(of_groups.filter(codename__regex=f"^({'|'.join(verbs)})_"))
    return staff


class DeskCase(TestCase):
    """A superuser sits at the admin site."""

    staff: User
    cookies: SimpleCookie

    @classmethod
    def setUpTestData(cls) -> None:
        cls.staff = make_superuser()
        browser = cls.client_class()
        browser.force_login(cls.staff)
        cls.cookies = browser.cookies

    def setUp(self) -> None:
        self.client.cookies = self.cookies

    def sit_down(self, staff: User) -> None:
        self.staff = staff
        self.client.force_login(staff)

    def shown(self, url: str) -> dict[str, Any]:
        """Return what a browser would send of a page on which nothing was changed."""
        context = context_of(self.client, url)
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        forms = [context["adminform"].form]
        for formset in formsets:
            forms += [formset.management_form, *formset.initial_forms]
        fields = [(form.add_prefix(name), form[name].value()) for form in forms for name in form.fields]
        return {name: "" if value is None else value for name, value in fields}

    def fill_in(self, url: str, **fields: Any) -> Any:
        """Send a page with some fields changed; a name such as ``members-0-user`` with ``__`` for ``-``."""
        sent = {**self.shown(url), **{name.replace("__", "-"): value for name, value in fields.items()}}
        for name in [name for name in sent if name.endswith("-TOTAL_FORMS")]:
            prefix = name.removesuffix("-TOTAL_FORMS")
            rows = {key.split("-")[1] for key in sent if key.startswith(f"{prefix}-") and key.count("-") > 1}
            sent[name] = len(rows - {"__prefix__"})
        return self.client.post(url, {name: value for name, value in sent.items() if value is not False})

    def choose(self, action: str, *rows: Model, gone: str = "", post: str = "yes") -> str:
        """Tick rows in their list, also that of those which are gone; start an action, and confirm it."""
        url = page(type(rows[0]), "changelist") + (f"?{gone}=yes" if gone else "")
        data = {"action": action, "_selected_action": [row.pk for row in rows], "post": post}
        return str(self.client.post(url, data, follow=True).content.decode())

    def listed(self, model: type[Model], query: str = "") -> set[Any]:
        return {row.pk for row in context_of(self.client, page(model, "changelist") + query)["cl"].queryset}

    def recorded(self) -> list[tuple[str, str]]:
        """Return what the audit log tells, in order: what was done, and to which kind of thing."""
        events = AuditEvent.objects.filter(actor_id=self.staff.pk).order_by("pk")
        return [(event.action, event.object_id) for event in events]
