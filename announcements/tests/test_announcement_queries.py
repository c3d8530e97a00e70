"""What announcements cost: the same however many there are, and no page reads the whole table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.core.cache import cache
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from announcements.models import Acknowledgement, Announcement
from announcements.tests.cases import url
from announcements.tests.factories import make_announcement
from authentication.tests.signing_in import signed_in_client
from core.testing import count_rows_anew, plan_of, without_counts
from users.models import User
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTHENTICATION: Final = 1
LIST: Final = AUTHENTICATION + 2  # its count, its page, where the page does not bring it
NARROWED: Final[tuple[dict[str, str], ...]] = (
    {},
    {"audience": "all"},
    {"state": "published"},
    {"search": "news"},
    {"audience": "all", "state": "published", "search": "new", "page_size": "50"},
)
MANY: Final = 4_000
NEWEST_FIRST: Final = '"appears_at" DESC'


class QueriesTests(TestCase):
    def setUp(self) -> None:
        cache.clear()
        self.admin, self.student = make_admin(), make_user()
        self.news = make_announcement(content="**x**")
        self.clients = {who.role: signed_in_client(who) for who in (self.admin, self.student)}

    def ask(self, role: str, path: str, query: Any = None) -> tuple[int, Any]:
        """Return how many queries an answer took, and the answer."""
        with CaptureQueriesContext(connection) as queries:
            response: Any = self.clients[role].get(path, query)
        self.assertEqual(response.status_code, 200, response.content)
        return len(queries), response.json()

    def grow(self) -> None:
        """99 more announcements, and 99 people who have acknowledged them all."""
        rows = [Announcement(title=f"News {n}", summary="x", content="*y*") for n in range(99)]
        Announcement.objects.bulk_create(rows)
        people = User.objects.bulk_create(
            User(username=f"p{n}", email=f"p{n}@example.org") for n in range(99)
        )
        marks = (
            Acknowledgement(announcement=row, user=who)
            for row in (*rows, self.news)
            for who in (*people, self.student)
        )
        Acknowledgement.objects.bulk_create(marks)

    def test_they_cost_the_same_for_1_and_for_100_rows(self) -> None:
        for size in (1, 100):
            for role in self.clients:
                for query in NARROWED:
                    with self.subTest(role, size=size, query=query):
                        cost, body = self.ask(role, url("list"), query)
                        is_more = size > int(query.get("page_size", 100))
                        expected = LIST if is_more and "search" in query else AUTHENTICATION + 1
                        self.assertEqual((cost, body["count"]), (expected, size))
                with self.subTest(role, size=size):
                    counts = 1 if role == "admin" else 0
                    self.assertEqual(
                        self.ask(role, url("detail", self.news.pk))[0], AUTHENTICATION + 1 + counts
                    )
                    self.assertEqual(self.ask(role, url("unread"))[0], AUTHENTICATION + 1)
            for query in ({}, {"acknowledged": "true"}, {"acknowledged": "false"}):
                with self.subTest("readers", size=size, query=query):
                    cost, _ = self.ask("admin", url("acknowledgements", self.news.pk), query)
                    self.assertLessEqual(cost, LIST + 1)
            if size == 1:
                self.grow()


def rows() -> Iterator[Announcement]:
    now = timezone.now()
    for n in range(MANY):
        # Most have no dates of their own, and few are for mentors.
        yield Announcement(
            title=f"News {n}" if n % 1_000 else "A quokka",
            summary=f"Plate {n} grew",
            content="Bring it along. " * 10,
            audience="student" if n % 50 else "mentor",
            created_at=now - timedelta(hours=n),
            publish_at=now + timedelta(hours=n + 1) if n % 100 == 1 else None,
            expires_at=now - timedelta(hours=n + 1) if n % 100 == 2 else None,
            told_at=None if n % 1_000 == 3 else now,
        )


@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PlanTests(TestCase):
    admin: User
    student: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.student = make_admin(), make_user()
        news = Announcement.objects.bulk_create(rows())
        people = User.objects.bulk_create(
            User(username=f"p{n}", email=f"p{n}@example.org") for n in range(40)
        )
        Acknowledgement.objects.bulk_create(
            Acknowledgement(announcement=row, user=who) for row in news[::40] for who in people
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('announcement_by_search')")
        count_rows_anew(Announcement, Acknowledgement)

    def plan(self, who: User, query: dict[str, str]) -> str:
        """Return how the page was found, and its marks."""
        client = signed_in_client(who)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(url("list"), query).status_code, 200)
        (page,) = [query["sql"] for query in captured.captured_queries if NEWEST_FIRST in query["sql"]]
        return without_counts(plan_of(page))

    def test_no_page_reads_the_whole_table(self) -> None:
        for who, query, index in (
            (self.admin, {}, "announcement_newest_first"),
            (self.student, {}, "announcement_newest_first"),
            (self.admin, {"audience": "mentor"}, "announcement_by_audience"),
            (self.admin, {"state": "scheduled", "page_size": "20"}, "announcement_by_publication"),
            (self.admin, {"state": "expired", "page_size": "20"}, "announcement_by_expiry"),
            (self.admin, {"search": "QUOKKA"}, "announcement_by_search"),
            (self.student, {"search": "late 77 g"}, "announcement_by_search"),
        ):
            with self.subTest(who.role, query=query):
                plan = self.plan(who, query)
                self.assertIn(index, plan)
                self.assertNotIn("Seq Scan on announcements_announcement", plan)
                self.assertIn("acknowledgement_once_per_announcement", plan)

    def test_the_job_of_each_minute_reads_what_is_new_alone(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(Announcement.objects.untold().count(), 4)

        self.assertIn("announcement_untold", plan_of(captured.captured_queries[0]["sql"]))
