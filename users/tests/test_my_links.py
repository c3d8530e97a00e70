"""``GET /api/users/me/supervisors/``: one's own links, page by page."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from users.models import StudentSupervisor, SupervisorProfile, User
from users.tests.factories import make_admin, make_link, make_user

LINK_KEYS = {
    "id",
    "student",
    "supervisor",
    "relationshipType",
    "joinPermissionGranted",
    "joinPermissionGrantedAt",
    "notes",
    "createdAt",
    "updatedAt",
}


class LinkListTests(TestCase):
    url = reverse("users:me-supervisors")

    def setUp(self) -> None:
        self.user = make_user()
        self.client: APIClient = APIClient()
        self.client.force_authenticate(self.user)

    def get(self, **params: Any) -> Any:
        return self.client.get(self.url, params).json()

    def ids(self, **params: Any) -> list[int]:
        return [row["id"] for row in self.get(**params)["results"]]

    def test_both_ends_see_a_link_newest_first(self) -> None:
        links = [make_link(self.user, make_user()), make_link(make_user(), self.user)]
        make_link(make_user(), make_user())

        body = self.get()
        self.assertEqual((body["count"], body["next"], body["previous"]), (2, None, None))
        self.assertEqual(self.ids(), [links[1].pk, links[0].pk])
        self.assertEqual(set(body["results"][0]), LINK_KEYS)

    def test_links_of_one_moment_go_by_id(self) -> None:
        links = [make_link(self.user, make_user()) for _ in range(3)]
        StudentSupervisor.objects.update(created_at=links[0].created_at)

        self.assertEqual(self.ids(), [link.pk for link in reversed(links)])

    def test_pages_follow_each_other_without_gap_or_repeat(self) -> None:
        links = [make_link(self.user, make_user()).pk for _ in range(5)]
        seen = [pk for page in (1, 2, 3) for pk in self.ids(page=page, page_size=2)]

        self.assertEqual(seen, links[::-1])
        self.assertEqual(self.client.get(self.url, {"page": 4, "page_size": 2}).status_code, 404)

    def test_nobody_else_sees_it_not_even_an_admin(self) -> None:
        make_link(self.user, make_user())
        for viewer in (make_user(), make_admin()):
            with self.subTest(viewer.role):
                self.client.force_authenticate(viewer)
                self.assertEqual(self.get()["count"], 0)

    def test_1_link_costs_what_30_cost(self) -> None:
        """B26."""
        client, counts = signed_in_client(self.user), []
        for total in (1, 30):
            while StudentSupervisor.objects.count() < total:
                adult = make_user()
                SupervisorProfile.objects.create(user=adult)
                make_link(self.user, adult)
            with CaptureQueriesContext(connection) as queries:
                body = client.get(self.url, {"page_size": 100}).json()
            counts.append(len(queries))
            self.assertEqual(len(body["results"]), total)

        self.assertEqual(counts, [3, 3])


class LinkDetailTests(TestCase):
    def client_of(self, user: User | None) -> APIClient:
        client = APIClient()
        if user:
            client.force_authenticate(user)
        return client

    def status(self, user: User | None, pk: Any, method: str = "patch") -> int:
        url = f"{reverse('users:me-supervisors')}{pk}/"
        body = {"joinPermissionGranted": True}
        return int(getattr(self.client_of(user), method)(url, body, format="json").status_code)

    def test_it_is_patched_and_nothing_else(self) -> None:
        user = make_user()
        link = make_link(user, make_user())
        expected = {"get": 405, "put": 405, "post": 405, "delete": 405, "patch": 200}

        self.assertEqual({method: self.status(user, link.pk, method) for method in expected}, expected)

    def test_it_does_not_exist_for_strangers(self) -> None:
        """SAFETY B23: the same answer as for one that never was."""
        link = make_link(make_user(), make_user())
        for stranger in (make_user(), make_admin(), make_user(is_superuser=True)):
            with self.subTest(stranger.role):
                self.assertEqual([self.status(stranger, pk) for pk in (link.pk, 10**9)], [404, 404])
        link.refresh_from_db()
        self.assertFalse(link.join_permission_granted)

    def test_anonymous_is_401_before_anything_is_looked_up(self) -> None:
        self.assertEqual([self.status(None, pk) for pk in (1, 10**9)], [401, 401])

    def test_ids_that_are_none_are_404(self) -> None:
        """SAFETY B24."""
        user = make_user()
        for pk in ("abc", "0", "-1", str(2**63), "1e400", "%00", "..%2f", "1.0"):
            with self.subTest(pk):
                self.assertEqual(self.status(user, pk), 404)

    def test_the_answer_must_be_a_truth_value(self) -> None:
        user = make_user()
        link = make_link(user, make_user())
        url = reverse("users:me-supervisor-detail", args=[link.pk])
        values: list[Any] = [None, "maybe", 2, [], {}, ""]
        bodies: list[dict[str, Any]] = [{}, {"granted": True}]
        bodies += [{"joinPermissionGranted": value} for value in values]
        for body in bodies:
            with self.subTest(body):
                response = self.client_of(user).patch(url, body, format="json")

                self.assertEqual(response.status_code, 400)
                self.assertIsInstance(response.json()["joinPermissionGranted"], list)
