"""People as CSV (CONTRACT 14, SAFETY B39)."""

from __future__ import annotations

import csv
import io
import warnings
from datetime import UTC, datetime
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test import AsyncClient, TestCase, override_settings
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.sessions import open_session
from authentication.tests.signing_in import bearer, signed_in_client
from core.models import AuditEvent
from users.models import User, UserProfile
from users.tests.factories import make_admin, make_superuser, make_user

URL = reverse("admin_panel:user-export")
LIST = reverse("admin_panel:user-list")
HEADER = (
    "ID,Name,Email,Role,Track,Status,First Name,Last Name,Areas of Interest,School Name,Year Level,Country,"
    "Region,Availability,Bio"
)
DANGEROUS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("//evil","x")')


def body_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


class ExportTestCase(TestCase):
    client: APIClient
    admin: User
    desk: APIClient

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(email="zoe@example.org", first_name="Zoe")
        cls.desk = signed_in_client(cls.admin)

    def setUp(self) -> None:
        self.client = self.desk

    def export(self, **params: Any) -> Any:
        response = self.client.get(URL, params)
        self.assertEqual(response.status_code, 200)
        return response

    def rows(self, **params: Any) -> list[list[str]]:
        return rows_of(body_of(self.export(**params)))


class ClientTests(ExportTestCase):
    def test_a_client_that_takes_nothing_but_csv_gets_it_and_refusals_stay_json(self) -> None:
        accept = {"Accept": "text/csv"}

        self.assertEqual(self.client.get(URL, headers=accept).status_code, 200)
        refusal = signed_in_client(make_user()).get(URL, headers=accept)
        self.assertEqual((refusal.status_code, refusal.json()["code"]), (403, "permission_denied"))


class TableTests(ExportTestCase):
    def test_a_row_holds_account_and_profile_in_this_order(self) -> None:
        ada = make_user(email="ada@example.org", first_name="Ada", last_name="King", track="AUS-NSW")
        UserProfile.objects.create(
            user=ada,
            first_name="Augusta",
            last_name="Byron",
            areas_of_interest=["genetics", "robots, small"],
            school_name='The "Old" School',
            year_level=10,
            country="Australia",
            region="NSW",
            availability="Mondays",
            bio="Likes\nengines.",
        )

        text = body_of(self.export(role="student"))

        self.assertEqual(
            text,
            f"{HEADER}\r\n"
            f"{ada.pk},Ada King,ada@example.org,student,AUS-NSW,pending,Augusta,Byron,"
            '"genetics,robots, small","The ""Old"" School",10,Australia,NSW,Mondays,"Likes\nengines."\r\n',
        )

    def test_what_is_not_known_is_an_empty_cell(self) -> None:
        bob = make_user(email="bob@example.org")

        (row,) = self.rows(role="student")

        expected = [str(bob.pk), *("bob@example.org", "bob@example.org", "student", "", "pending")]
        self.assertEqual(row, expected + [""] * 9)

    def test_nobody_found_is_the_header_alone(self) -> None:
        self.assertEqual(body_of(self.export(role="nonsense")), f"{HEADER}\r\n")

    def test_no_cell_begins_as_a_formula_does(self) -> None:
        """B30: `=HYPERLINK(…)` in a name or a bio ran in the admin's spreadsheet program."""
        for number, text in enumerate(DANGEROUS):
            user = make_user(first_name=text, last_name=text, track=text, email=f"={number}@example.org")
            UserProfile.objects.create(
                user=user,
                **dict.fromkeys(
                    ("first_name", "last_name", "school_name", "country", "region", "availability", "bio"),
                    text,
                ),
                areas_of_interest=[text, text],
            )

        rows = self.rows(role="student")

        self.assertEqual({row[6].removeprefix("'") for row in rows}, set(DANGEROUS))
        for column in (1, 2, 4, 6, 7, 8, 9, 11, 12, 13, 14):
            with self.subTest(column=HEADER.split(",")[column]):
                self.assertEqual({row[column][0] for row in rows}, {"'"})

    def test_letters_of_every_script_arrive(self) -> None:
        make_user(first_name="Zoë", last_name="Łukasz 🧬 日本")

        (row,) = self.rows(role="student")

        self.assertEqual(row[1], "Zoë Łukasz 🧬 日本")


class FilterTests(ExportTestCase):
    def test_it_has_the_people_of_the_list_in_its_order(self) -> None:
        for name in ("Cleo", "ada", "Bob", ""):
            make_user(first_name=name, track="AUS-NSW", status="active")
            make_user(first_name=name, role="mentor", track="aus-nsw")
        asked: list[dict[str, str]] = [
            {},
            {"role": "Mentor"},
            {"status": "ACTIVE"},
            {"track": " Aus-Nsw"},
            {"track": "global"},
            {"search": "LE"},
            {"search": "person", "role": "student", "status": "active", "track": "aus-nsw"},
        ]
        for params in asked:
            with self.subTest(params=params):
                listed = self.client.get(LIST, {**params, "page_size": "500"}).json()["results"]
                self.assertEqual([int(row[0]) for row in self.rows(**params)], [row["id"] for row in listed])

    def test_pages_are_passed_over(self) -> None:
        User.objects.bulk_create(User(username=f"u{n}", email=f"u{n}@example.org") for n in range(1_100))

        self.assertEqual(len(self.rows(page="7", page_size="2")), 1_101)


class FileTests(ExportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.token = bearer(open_session(self.admin, user_agent="").access)["HTTP_AUTHORIZATION"]

    def test_its_name_holds_the_moment_in_utc(self) -> None:
        with patch("users.views.people.timezone.now", lambda: datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)):
            headers = self.export().headers

        expected = 'attachment; filename="users-export-20260203-040506.csv"'
        self.assertEqual(headers["Content-Disposition"], expected)
        self.assertEqual(headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")

    @override_settings(CORS_ALLOWED_ORIGINS=["https://hub.example.org"])
    def test_the_web_client_may_read_its_name(self) -> None:
        """B30."""
        response: Any = self.client.get(URL, headers={"Origin": "https://hub.example.org"})

        self.assertIn("Content-Disposition", response.headers["Access-Control-Expose-Headers"])

    def test_four_queries_however_many_people(self) -> None:
        for size in (1, 1_200):
            User.objects.bulk_create(
                User(username=f"u{size}-{n}", email=f"u{size}-{n}@example.org") for n in range(size)
            )
            with self.subTest(size=size), self.assertNumQueries(4):  # sign-in, count, audit, rows
                self.rows()

    @skipUnless(connection.vendor == "postgresql", "SQLite has no server.")
    def test_rows_come_from_a_cursor_of_the_server(self) -> None:
        User.objects.bulk_create(User(username=f"u{n}", email=f"u{n}@example.org") for n in range(1_200))
        pieces = iter(self.export().streaming_content)
        next(pieces)
        next(pieces)

        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_cursors")
            (statement,) = [text for (text,) in cursor.fetchall() if '"users"' in text]
        self.assertIn("user_profiles", statement)
        self.assertGreater(len(list(pieces)), 3)

    async def test_an_asgi_server_streams_it(self) -> None:
        """Django would warn, and read it all first, if there were no asynchronous iterator."""
        await User.objects.abulk_create(User(username=f"u{n}", email=f"u{n}@example.org") for n in range(500))

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            response: Any = await AsyncClient().get(URL, headers={"authorization": self.token})
            pieces = [piece async for piece in response]

        self.assertGreater(len(pieces), 2)
        self.assertEqual(len(rows_of(b"".join(pieces).decode())), 501)


class RecordTests(ExportTestCase):
    def test_it_is_recorded_by_rows_and_filter(self) -> None:
        make_user(track="AUS-NSW")

        self.export(role="student", track="AUS-NSW", status="", page="2", unknown="x")

        event = AuditEvent.objects.get(action="people_exported")
        self.assertEqual((event.actor_id, event.object_type), (self.admin.pk, ""))
        filtered = {"role": "student", "track": True}
        self.assertEqual(event.changes, {"rows": 1, "filter": filtered})

    def test_what_is_no_role_is_not_repeated(self) -> None:
        self.export(role="Ada Lovelace", status="PENDING")

        changes = AuditEvent.objects.get(action="people_exported").changes
        self.assertEqual(changes["filter"], {"role": True, "status": "pending"})

    def test_of_a_search_only_that_there_was_one(self) -> None:
        self.export(search="zoe@example.org")

        changes = AuditEvent.objects.get(action="people_exported").changes
        self.assertEqual(changes, {"rows": 1, "filter": {"search": True}})

    def test_others_get_nothing_and_leave_no_record(self) -> None:
        """SAFETY B39."""
        for status, client in (
            (401, APIClient()),
            (403, signed_in_client(make_user(role="supervisor", status="active"))),
            (403, signed_in_client(make_user(is_staff=True))),
        ):
            with self.subTest(status):
                self.assertEqual(client.get(URL).status_code, status)
        self.assertFalse(AuditEvent.objects.filter(action="people_exported").exists())
        self.assertEqual(signed_in_client(make_superuser()).get(URL).status_code, 200)
