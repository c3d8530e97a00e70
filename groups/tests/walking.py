"""Everybody there is around a group, and calls that change nothing: for the tables in ``matrix.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.test import TestCase, override_settings
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from core.testing import undone
from groups.tests.matrix import ROLES, statuses
from users.models import User
from users.tests.factories import make_admin, make_link, make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Mapping


@override_settings(API_WRITES_PER_USER="")
class MatrixCase(TestCase):
    """A person of each role; a subclass stores in ``make_objects`` what they act on."""

    people: dict[str, User]
    clients: dict[str, APIClient]
    bodies: dict[str, Any]

    @classmethod
    def setUpTestData(cls) -> None:
        cache.clear()
        cls.people = {
            "outsider": make_user(),
            "member": make_user(),
            "mentor": make_user(role="mentor", status="active"),
            "linked supervisor": make_user(role="supervisor", status="active"),
            "other supervisor": make_user(role="supervisor", status="active"),
            "staff only": make_user(is_staff=True),
            "superuser": make_superuser(),
            "admin": make_admin(),
            "suspended member": make_user(),
            "past member": make_user(),
        }
        make_link(cls.people["member"], cls.people["linked supervisor"])
        make_link(cls.people["outsider"], cls.people["other supervisor"])
        cls.make_objects()
        cls.clients = {name: signed_in_client(user) for name, user in cls.people.items()}
        cls.clients["anonymous"] = APIClient()
        User.objects.filter(pk=cls.people["suspended member"].pk).update(status=User.Status.INACTIVE)

    @classmethod
    def make_objects(cls) -> None:
        raise NotImplementedError

    def ids_of(self, operation: str) -> Mapping[str, Any]:
        """Return the ids of what is there, for an operation's path."""
        raise NotImplementedError

    def call(self, role: str, operation: str, ids: Mapping[str, Any]) -> Any:
        """Call as that role, and undo whatever the call did."""
        method, path = operation.split()
        client: Any = self.clients[role]
        form = None if method == "GET" else "json"
        with undone():
            return getattr(client, method.lower())(
                path.format_map(ids), self.bodies.get(operation), format=form
            )

    def assert_rows(self, table: str) -> dict[tuple[str, str], Any]:
        """Assert that each role is answered as its cell says; returns the answers, by operation and role."""
        answers = {}
        for operation, expected in statuses(table).items():
            with self.subTest(operation):
                row = {role: self.call(role, operation, self.ids_of(operation)) for role in ROLES}
                answers.update({(operation, role): response for role, response in row.items()})
                got = {role: response.status_code for role, response in row.items()}
                self.assertEqual(got, dict(zip(ROLES, expected, strict=True)))
        return answers
