"""What every request asks, and a person's document, among very many: by indexes, and a few rows each."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authentication.models import SignInSession
from authentication.tests.signing_in import signed_in_client
from core.testing import count_rows_anew, plan_of
from users.models import StudentSupervisor, SupervisorProfile, User, UserProfile
from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE: Final = 20_000
ADULTS: Final = 2_000
SIZE: Final = 20
ME: Final = reverse("users:me")
LIST: Final = reverse("admin_panel:user-list")
SCANNED: Final = re.compile(r"(?:Scan|Result)[^\n]*\(actual time=\S+ rows=(\d+) loops=(\d+)\)")


def people() -> Iterator[User]:
    for number in range(PEOPLE):
        name = f"reader{number}"
        role = "supervisor" if number < ADULTS else "student"
        yield User(username=name, email=f"{name}@example.org", first_name="Ada", last_name=name, role=role)


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class ReadingAtScaleTests(TestCase):
    adult: User
    student: User
    admin: User
    everybody: ClassVar[list[User]]

    @classmethod
    def setUpTestData(cls) -> None:
        made = User.objects.bulk_create(people(), batch_size=5_000)
        adults, students = made[:ADULTS], made[ADULTS:]
        later = timezone.now() + timedelta(days=1)
        UserProfile.objects.bulk_create((UserProfile(user=one) for one in made), batch_size=5_000)
        SupervisorProfile.objects.bulk_create(SupervisorProfile(user=one) for one in adults)
        StudentSupervisor.objects.bulk_create(
            (
                StudentSupervisor(student=one, supervisor=adults[number % ADULTS])
                for number, one in enumerate(students)
            ),
            batch_size=5_000,
        )
        SignInSession.objects.bulk_create(
            (SignInSession(user=one, expires_at=later) for one in made), batch_size=5_000
        )
        cls.adult, cls.student, cls.admin = adults[0], students[0], make_admin()
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('user_by_search')")
        count_rows_anew(User, UserProfile, SupervisorProfile, StudentSupervisor, SignInSession)

    def plans(self, who: User, url: str, **query: Any) -> list[str]:
        """Return how each query of a request is answered, in their order; the session's comes first."""
        client = signed_in_client(who)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(url, query).status_code, 200)
        return [plan_of(query["sql"], run=True) for query in captured.captured_queries]

    def assert_met_at_most(self, rows: int, plan: str) -> None:
        self.assertNotRegex(plan, r"Seq Scan on (?!users_headcount\b)")  # which is a handful of rows
        met = [int(found) * int(loops) for found, loops in SCANNED.findall(plan)]
        self.assertTrue(met, plan)
        self.assertLessEqual(max(met), rows, plan)

    def test_who_asks_is_two_rows(self) -> None:
        session, *_ = self.plans(self.student, ME)

        self.assertRegex(session, r"Index Scan using \w+ on authentication_signinsession")
        self.assertIn("users_pkey", session)
        self.assert_met_at_most(1, session)

    def test_a_document_meets_the_links_that_it_shows(self) -> None:
        links = (PEOPLE - ADULTS) // ADULTS
        for who, most in ((self.student, 1), (self.adult, links)):
            with self.subTest(who.role):
                _, document = self.plans(who, ME)
                for index in ("users_pkey", "user_profiles_user_id_key"):
                    self.assertIn(index, document)
                for end in ("student_id", "supervisor_id"):
                    self.assertIn(f"Index Cond: ({end} = users.id)", document)
                self.assert_met_at_most(most, document)

    def test_a_first_page_of_people_meets_its_own_rows(self) -> None:
        _, page = self.plans(self.admin, LIST)

        self.assertIn("user_by_name", page)
        self.assert_met_at_most(SIZE + 1, page)

    def test_a_deep_page_reads_its_own_rows_alone_and_skips_the_others_in_the_index(self) -> None:
        number = PEOPLE // 2 // SIZE
        *_, page = self.plans(self.admin, LIST, page=number)

        self.assertIn("Index Only Scan using user_by_name", page)
        self.assertIn("users_pkey", page)
        self.assert_met_at_most(number * SIZE + 1, page)

    def test_the_last_page_is_found_from_the_end(self) -> None:
        *_, page = self.plans(self.admin, LIST, page=PEOPLE // SIZE)

        self.assertIn("Index Only Scan Backward using user_by_name", page)
        self.assert_met_at_most(2 * SIZE + 1, page)

    def test_an_address_is_found_by_what_stands_before_the_at(self) -> None:
        _, page = self.plans(self.admin, LIST, search="reader19999@example.org")

        self.assertIn("user_by_search", page)
        self.assertEqual(set(re.findall("~~ '(.*?)'", page)), {"%reader19999@%"})
        self.assert_met_at_most(2, page)

    def test_what_a_search_finds_is_found_once_and_counted_and_sorted_there(self) -> None:
        _, page = self.plans(self.admin, LIST, search="reader19999")

        self.assertIn("user_by_search", page)
        self.assert_met_at_most(SIZE, page)
