"""Sitting at the admin site's pages of conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.test import TestCase
from django.urls import reverse

from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from users.models import User

CONFIRMED = {"post": "yes"}


def page(model: str, name: str, *args: object) -> str:
    return reverse(f"admin:chat_{model}_{name}", args=args)


def make_desk(**fields: Any) -> User:
    """Return somebody of the staff with every permission on conversations."""
    person = make_user(is_staff=True, status="active", **fields)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="chat"))
    return person


class ChatDeskCase(TestCase):
    """A platform admin of the staff sits at the admin site."""

    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(is_staff=True)

    def setUp(self) -> None:
        self.client.force_login(self.admin)
