"""The programme in numbers (CONTRACT 6.1)."""

from __future__ import annotations

from typing import Any

from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from groups.models import Group
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user

URL = reverse("admin_panel:stats")
EVERYBODY = [
    ("student", "active", "AUS-NSW"),
    ("student", "inactive", "aus-nsw"),
    ("student", "pending", "Aus-NSW"),
    ("student", "pending", ""),
    ("mentor", "active", "AUS-NSW"),
    ("mentor", "inactive", "Brazil"),
    ("mentor", "pending", "Brazil"),
    ("supervisor", "active", "Brazil"),
    ("supervisor", "pending", "AUS-NSW"),
]


class StatsTests(TestCase):
    client: APIClient
    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        for role, status, track in EVERYBODY:
            make_user(role=role, status=status, track=track)
        make_group(track="AUS-NSW")
        make_group(track="aus-nsw", status="ACTIVE")
        make_group(track="Brazil", status="Active")
        make_group(track="AUS-NSW", status="archived")
        make_group(status="active ")
        cls.admin = make_admin()

    def setUp(self) -> None:
        self.client = signed_in_client(self.admin)

    def numbers(self, **params: Any) -> Any:
        response = self.client.get(URL, params)
        self.assertEqual(response.status_code, 200)
        return response.json()

    def test_without_a_track_everything_counts(self) -> None:
        self.assertEqual(
            self.numbers(),
            {
                "totalUsers": 6,
                "activeGroups": 3,
                "mentors": {"total": 2, "active": 1, "pending": 1},
                "students": {"total": 2, "pending": 2},
            },
        )

    def test_a_track_is_the_same_in_any_case_and_leaves_out_who_has_none(self) -> None:
        """CONTRACT 1.7."""
        expected = {
            "totalUsers": 3,
            "activeGroups": 2,
            "mentors": {"total": 1, "active": 1, "pending": 0},
            "students": {"total": 2, "pending": 1},
        }
        for track in ("AUS-NSW", "aus-nsw", "  Aus-Nsw "):
            with self.subTest(track):
                self.assertEqual(self.numbers(track=track), expected)

    def test_blank_and_global_are_every_track(self) -> None:
        for track in ("", "  ", "global", " GLOBAL "):
            with self.subTest(track):
                self.assertEqual(self.numbers(track=track), self.numbers())

    def test_a_track_that_nobody_is_on_is_all_zeros(self) -> None:
        nothing = {
            "totalUsers": 0,
            "activeGroups": 0,
            "mentors": {"total": 0, "active": 0, "pending": 0},
            "students": {"total": 0, "pending": 0},
        }
        for track in ("AUS", "AUS-NSW-2", "%", "x" * 5_000, "global\n'"):
            with self.subTest(track[:10]):
                self.assertEqual(self.numbers(track=track), nothing)

    def test_a_nul_is_refused_by_name(self) -> None:
        response = self.client.get(URL, {"track": "a\0"})

        self.assertEqual((response.status_code, list(response.json())[:1]), (400, ["track"]))

    def test_two_queries_however_many_people_and_groups(self) -> None:
        User.objects.bulk_create(
            User(username=f"u{n}", email=f"u{n}@example.org", role="mentor", status="active")
            for n in range(300)
        )
        Group.objects.bulk_create(Group(id=f"MANY{n}", name="x") for n in range(300))

        for params in ({}, {"track": "AUS-NSW"}):
            with self.subTest(params=params), self.assertNumQueries(2):
                self.client.get(URL, params)
        self.assertEqual(self.numbers()["mentors"]["active"], 301)

    def test_it_is_for_platform_admins(self) -> None:
        clients = {
            401: APIClient(),
            403: signed_in_client(make_user(is_staff=True)),
            200: signed_in_client(make_superuser()),
        }
        for status, client in clients.items():
            with self.subTest(status):
                self.assertEqual(client.get(URL).status_code, status)
