"""``GET /api/users/me/``: the whole document, what it costs, and what it never does."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from users.models import StudentSupervisor, SupervisorProfile, User, UserProfile
from users.tests.factories import make_link, make_user

EMPTY_PROFILE: dict[str, Any] = {
    "firstName": "",
    "lastName": "",
    "areasOfInterest": [],
    "controlledInterests": [],
    "schoolName": "",
    "yearLevel": None,
    "guardianEmail": "",
    "supervisorEmail": "",
    "country": "",
    "region": "",
    "availability": "",
    "bio": "",
    "joinPermissionGranted": False,
}
WRITES = ("INSERT", "UPDATE", "DELETE")


def wire_time(moment: Any) -> str:
    return str(moment.isoformat().replace("+00:00", "Z"))


class MeTestCase(TestCase):
    client: APIClient
    client_class = APIClient
    url = reverse("users:me")

    def me(self, user: User) -> dict[str, Any]:
        self.client.force_authenticate(user)
        body: dict[str, Any] = self.client.get(self.url).json()
        return body


class DocumentTests(MeTestCase):
    def test_a_bare_account_is_a_whole_document(self) -> None:
        """B27: the missing profile renders empty and is not made."""
        user = make_user(email="ada@example.org")

        self.assertEqual(
            self.me(user),
            {
                "id": user.pk,
                "email": "ada@example.org",
                "username": "ada@example.org",
                "name": "ada@example.org",
                "role": "student",
                "status": "pending",
                "track": "",
                "profile": EMPTY_PROFILE,
                "supervisorProfile": None,
                "supervisors": [],
                "supervisees": [],
            },
        )
        self.assertFalse(UserProfile.objects.exists())

    def test_a_profile_is_shown_whole(self) -> None:
        user = make_user()
        values = {
            "first_name": "Zoë",
            "areas_of_interest": ["🧬", "genetics"],
            "year_level": 10,
            "guardian_email": "g@example.org",
            "join_permission_granted": True,
        }
        UserProfile.objects.create(user=user, **values)

        self.assertEqual(
            self.me(user)["profile"],
            {
                **EMPTY_PROFILE,
                "firstName": "Zoë",
                "areasOfInterest": ["🧬", "genetics"],
                "yearLevel": 10,
                "guardianEmail": "g@example.org",
                "joinPermissionGranted": True,
            },
        )

    def test_a_supervisor_reads_their_own_check(self) -> None:
        user = make_user(role="supervisor")
        row = SupervisorProfile.objects.create(
            user=user, organization="Lab", phone_number="1", wwcc_number="2", wwcc_expiry=date(2031, 4, 5)
        )

        self.assertEqual(
            self.me(user)["supervisorProfile"],
            {
                "organization": "Lab",
                "phoneNumber": "1",
                "wwccNumber": "2",
                "wwccExpiry": "2031-04-05",
                "wwccVerified": False,
                "createdAt": wire_time(row.created_at),
                "updatedAt": wire_time(row.updated_at),
            },
        )

    def test_links_stand_on_both_sides_oldest_first(self) -> None:
        user, first, second, student = (make_user(first_name=name) for name in ("Me", "A", "B", "C"))
        links = [make_link(user, first, notes="x"), make_link(user, second, relationship_type="guardian")]
        other = make_link(student, user)
        body = self.me(user)

        self.assertEqual([row["id"] for row in body["supervisors"]], [link.pk for link in links])
        self.assertEqual([row["supervisor"]["name"] for row in body["supervisors"]], ["A", "B"])
        self.assertEqual([row["student"]["name"] for row in body["supervisees"]], ["C"])
        self.assertEqual(
            body["supervisors"][0],
            {
                "id": links[0].pk,
                "relationshipType": "supervisor",
                "joinPermissionGranted": False,
                "joinPermissionGrantedAt": None,
                "notes": "x",
                "supervisor": {
                    "id": first.pk,
                    "email": "",
                    "role": "student",
                    "track": "",
                    "status": "pending",
                    "name": "A",
                    "supervisorProfile": None,
                },
            },
        )
        self.assertEqual(body["supervisees"][0]["id"], other.pk)

    def test_names_of_any_script_come_back_as_they_are(self) -> None:
        for first, last in (("Zoë", "Ångström"), ("李", "小龍"), ("👩‍🔬", "O'Hara"), ("مريم", "Ng")):
            with self.subTest(first):
                body = self.me(make_user(first_name=first, last_name=last))
                self.assertEqual(body["name"], f"{first} {last}")


class CostTests(MeTestCase):
    def test_30_links_cost_what_none_cost_and_at_most_6_queries_with_the_session(self) -> None:
        """B26."""
        user, counts = make_user(), []
        client = signed_in_client(user)
        for links in (0, 30):
            for _ in range(links):
                adult = make_user(role="supervisor")
                SupervisorProfile.objects.create(user=adult)
                make_link(user, adult)
                make_link(make_user(), user)
            with CaptureQueriesContext(connection) as queries:
                body = client.get(self.url).json()
            self.assertEqual((len(body["supervisors"]), len(body["supervisees"])), (links, links))
            counts.append(len(queries))

        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 6)

    def test_reading_writes_nothing(self) -> None:
        """B27."""
        client = signed_in_client(make_user())
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(client.get(self.url).status_code, 200)

        self.assertFalse([q["sql"] for q in queries if q["sql"].startswith(WRITES)])


class AccessTests(MeTestCase):
    def test_it_is_for_whoever_is_signed_in_and_may_enter(self) -> None:
        """B8."""
        self.assertEqual(self.client.get(self.url).status_code, 401)
        for status, expected in (("pending", 200), ("active", 200), ("inactive", 401)):
            with self.subTest(status):
                user = make_user()
                client = signed_in_client(user)
                User.objects.filter(pk=user.pk).update(status=status)
                self.assertEqual(client.get(self.url).status_code, expected)

    def test_the_links_of_others_are_not_shown(self) -> None:
        make_link(make_user(), make_user())

        body = self.me(make_user())
        self.assertEqual((body["supervisors"], body["supervisees"]), ([], []))
        self.assertEqual(StudentSupervisor.objects.count(), 1)
