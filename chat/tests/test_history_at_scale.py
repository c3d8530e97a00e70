"""A page of a conversation costs the same however much was said in it, and elsewhere since."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext

from authentication.tests.signing_in import signed_in_client
from chat.models import Conversation, Message, ReadCursor
from chat.tests.factories import make_many
from core.testing import count_rows_anew, plan_of
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User

LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
LATELY: Final = datetime(2026, 1, 1, tzinfo=UTC)
APART: Final = timedelta(seconds=20)
LIMIT: Final = 50
MEASURED: Final = re.compile(r"actual (?:time=\S+ )?rows=(\d+)[^)]*loops=(\d+)")
PAGES: Final = re.compile(r"Buffers: shared hit=(\d+)(?: read=(\d+))?")


class ScaleCase(TestCase):
    """A student reads; the plans are those of the queries that their request asked."""

    student: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.student = make_user()

    def plan(self, path: str, table: str, **query: Any) -> str:
        client = signed_in_client(self.student)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(path, query).status_code, 200)
        asked = [q["sql"] for q in captured.captured_queries if f'FROM "{table}"' in q["sql"]]
        return "\n".join(plan_of(query, run=True) for query in asked)

    def page(self, group: Group, **query: Any) -> str:
        return self.plan(f"/api/groups/{group.pk}/messages", "chat_message", limit=LIMIT, **query)

    def rows(self, plan: str) -> int:
        """Return the most rows that any step met."""
        return max(int(rows) * int(loops) for rows, loops in MEASURED.findall(plan))

    def pages(self, plan: str) -> int:
        """Return how many pages of tables and indexes the query read: its first line counts for all below."""
        found = PAGES.search(plan)
        assert found
        return sum(int(pages or 0) for pages in found.groups())

    def assert_by_timeline(self, plan: str) -> None:
        self.assertIn("message_timeline", plan)
        self.assertNotIn("message_by_moment", plan)
        self.assertNotIn("Seq Scan on chat_message", plan)
        self.assertLessEqual(self.rows(plan), LIMIT + 1)


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class QuietGroupTests(ScaleCase):
    """A big group where nobody has spoken for years, and others that go on: moments alone mislead."""

    quiet: Group

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.quiet = make_group(members=[cls.student])
        make_many(cls.quiet, make_group(), count=100_000, since=LONG_AGO, apart=APART)
        make_many(*(make_group() for _ in range(10)), count=4_000, since=LATELY, apart=APART)
        count_rows_anew(Message)

    def test_the_newest_page_and_any_older_one_are_read_from_the_timeline(self) -> None:
        for before in ({}, *({"before": moment.isoformat()} for moment in self.moments())):
            with self.subTest(before):
                self.assert_by_timeline(self.page(self.quiet, **before))

    @staticmethod
    def moments() -> list[datetime]:
        return [LONG_AGO + share * 200_000 * APART for share in (0.01, 0.5, 0.99)]

    def test_what_is_unread_is_counted_up_to_a_bound(self) -> None:
        ReadCursor.objects.create(group=self.quiet, user=self.student, seq=3)

        plan = self.plan("/api/groups/my-groups/", "chat_conversation")

        self.assertIn("message_seq_once_per_group", plan)
        self.assertLessEqual(self.rows(plan), 100)
        self.assertEqual(Conversation.objects.get(group=self.quiet).last_seq, 100_000)


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class MillionTests(ScaleCase):
    """A thousand messages, and a million of them."""

    groups: dict[int, Group]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.groups = {count: make_group(members=[cls.student]) for count in (1_000, 1_000_000)}
        for count, group in cls.groups.items():
            make_many(group, count=count, since=LATELY - count * APART, apart=APART)
        count_rows_anew(Message)

    def test_a_page_costs_the_same_in_both(self) -> None:
        for share in (0, 0.5, 0.9):
            plans = [self.page(group, **self.back(share, count)) for count, group in self.groups.items()]
            with self.subTest(share):
                for plan in plans:
                    self.assert_by_timeline(plan)
                few, many = (self.pages(plan) for plan in plans)
                self.assertLess(abs(many - few), 8, plans)

    @staticmethod
    def back(share: float, count: int) -> dict[str, str]:
        """Return the query of a page so far back in a conversation; of the newest there is none."""
        return {"before": (LATELY - share * count * APART).isoformat()} if share else {}

    def test_what_changed_since_costs_the_same_in_both(self) -> None:
        few, many = (self.page(group, after=count - 200) for count, group in self.groups.items())

        self.assertIn("message_revision_once_per_group", many)
        self.assertLess(abs(self.pages(many) - self.pages(few)), 8, (few, many))
