"""Who passes which gate; for the documentation over HTTP too (B103)."""

from __future__ import annotations

from itertools import product
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.test import SimpleTestCase, TestCase, override_settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core.permissions import AdminWrites, IsPlatformAdmin
from core.roles import Role
from users.models import User
from users.tests.factories import make_admin, make_user

PEOPLE = {
    "anonymous": AnonymousUser(),
    "staff alone": User(role=Role.STUDENT, is_staff=True),
    "superuser": User(role=Role.STUDENT, is_superuser=True),
    **{str(role): User(role=role) for role in Role},
}
ADMINS = {"superuser", "admin"}


class GateTests(SimpleTestCase):
    def passes(self, gate: Any, person: str, method: str = "GET") -> bool:
        request: Any = APIRequestFactory().generic(method, "/")
        request.user = PEOPLE[person]
        return bool(gate().has_permission(request, None))

    def test_a_view_that_names_no_gate_is_closed(self) -> None:
        self.assertEqual(APIView.permission_classes, [IsAuthenticated])

    def test_admins_are_two_kinds_of_people(self) -> None:
        for person in PEOPLE:
            with self.subTest(person):
                self.assertEqual(self.passes(IsPlatformAdmin, person), person in ADMINS)

    def test_everyone_signed_in_reads_and_admins_write(self) -> None:
        for person, method in product(PEOPLE, ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")):
            reads = method in {"GET", "HEAD", "OPTIONS"}
            expected = person in ADMINS or (reads and person != "anonymous")
            with self.subTest(person=person, method=method):
                self.assertEqual(self.passes(AdminWrites, person, method), expected)


class DocsTests(TestCase):
    paths = ("/api/schema/", "/api/docs/", "/api/redoc/")

    def statuses(self) -> list[int]:
        return [self.client.get(path).status_code for path in self.paths]

    @override_settings(API_DOCS_PUBLIC=True)
    def test_they_are_open_where_the_setting_says_so(self) -> None:
        self.assertEqual(self.statuses(), [200, 200, 200])

    @override_settings(API_DOCS_PUBLIC=False)
    def test_elsewhere_they_are_for_staff(self) -> None:
        """B103."""
        self.assertEqual(self.statuses(), [403, 403, 403])

        self.client.force_login(make_user())
        self.assertEqual(self.statuses(), [403, 403, 403])

        self.client.force_login(make_admin(is_staff=True))
        self.assertEqual(self.statuses(), [200, 200, 200])

    def test_an_api_answer_is_json_for_browsers_too(self) -> None:
        """B103: there is no browsable API."""
        response = self.client.get("/api/users/me/", headers={"Accept": "text/html,*/*;q=0.8"})

        self.assertEqual((response.status_code, response.headers["Content-Type"]), (401, "application/json"))
