"""How PostgreSQL answers what a conversation asks most: by an index, and no further than a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from authentication.tests.signing_in import signed_in_client
from chat.models import Conversation, Mention, Message, MessageAttachment, Reaction, ReadCursor
from chat.services.history import prepared
from chat.services.pages import PAGES
from chat.services.questions import BEFORE, BEFORE_QUOTING
from chat.tests.factories import make_many
from core.prepared import Slot
from core.testing import count_rows_anew, plan_of
from groups.models import Group, GroupMember
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_user

if TYPE_CHECKING:
    from core.prepared import Prepared

SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
APART: Final = timedelta(seconds=20)
MANY: Final = 3_000
WITH_MARKS: Final = 6 * 51  # a message below names five people, and the student
MIDDLE: Final = SINCE + MANY * APART
KEPT_BY: Final = {
    "newest": "message_timeline",
    "older": "message_timeline",
    "own newest": "message_timeline",
    "own older": "message_timeline",
    "changed": "message_revision_once_per_group",
}
MEASURED: Final = re.compile(r"actual (?:time=\S+ )?rows=(\d+)[^)]*loops=(\d+)")


def most_rows(plan: str) -> int:
    """Return the most rows that any step met."""
    return max(int(rows) * int(loops) for rows, loops in MEASURED.findall(plan))


@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PlanTests(TestCase):
    """A student reads and writes in a long conversation, beside another as long."""

    student: User
    group: Group

    @classmethod
    def setUpTestData(cls) -> None:
        cls.student = make_user()
        cls.group = make_group(members=[cls.student])
        make_many(cls.group, make_group(members=[make_user()]), count=MANY, since=SINCE, apart=APART)
        # So many that nobody is found quicker by reading them all.
        names = [f"other{n}@example.org" for n in range(400)]
        others = User.objects.bulk_create(User(email=name, username=name) for name in names)[:5]
        ids = Message.objects.order_by("seq").values_list("pk", flat=True)[:2_000]
        Reaction.objects.bulk_create(
            Reaction(message_id=pk, user=other, sign="\U0001f44d") for pk in ids for other in others[:2]
        )
        Mention.objects.bulk_create(Mention(message_id=pk, user=other) for pk in ids for other in others)
        Mention.objects.bulk_create(Mention(message_id=pk, user=cls.student) for pk in ids[:100])
        MessageAttachment.objects.bulk_create(
            MessageAttachment(message_id=pk, file_url="https://x.example/a", filename="a") for pk in ids
        )
        ReadCursor.objects.create(group=cls.group, user=cls.student, seq=3)
        named = Message.objects.filter(group=cls.group, seq__lt=1_000)
        for message in named.only("seq"):
            message.author, message.client_id = cls.student, f"name{message.seq}"
        Message.objects.bulk_update(named, ["author", "client_id"])
        asked = (Message, Conversation, Reaction, Mention, MessageAttachment, Group, GroupMember, User)
        count_rows_anew(*asked, ReadCursor)

    @property
    def url(self) -> str:
        return f"/api/groups/{self.group.pk}/messages/"

    def asked(self, method: str, path: str, about: str, *, without: tuple[str, ...] = (), **data: Any) -> str:
        """Return the plans of what a request asks with these words in it; ``without``: see ``plan_of``."""
        client = signed_in_client(self.student)
        with CaptureQueriesContext(connection) as captured:
            sent = {"format": "json"} if method == "post" else {}
            self.assertLess(getattr(client, method)(path, data, **sent).status_code, 300)
        queries = [query["sql"] for query in captured.captured_queries if about in query["sql"]]
        self.assertTrue(queries)
        return "\n".join(plan_of(query, run=query.startswith("SELECT"), without=without) for query in queries)

    def page(self, **query: Any) -> str:
        PAGES.clear()
        return self.asked("get", self.url, 'FROM "chat_message"', **query)

    def kept(self, question: Prepared, **values: Any) -> str:
        """Return the plan that a session keeps, which knows none of the values."""
        sql, parameters, *_ = question.words
        filled = [part.fill(values) if isinstance(part, Slot) else part for part in parameters]
        wrapper: Any = connection
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            statement = wrapper.prepared(sql, len(parameters))
            return plan_of(cursor.mogrify(statement, filled).decode(), run=True)

    def assert_by(self, index: str, plan: str, *, rows: int) -> None:
        self.assertIn(index, plan)
        self.assertNotRegex(plan, "Seq Scan on chat_message")
        self.assertLessEqual(most_rows(plan), rows, plan)

    def test_a_page_is_read_from_the_timeline_however_deep_it_lies(self) -> None:
        deep = [{"before": (SINCE + share * MANY * 2 * APART).isoformat()} for share in (0.9, 0.1)]
        for back in ({}, *deep):
            with self.subTest(back):
                self.assert_by("message_timeline", self.page(**back), rows=WITH_MARKS)

    def test_what_changed_is_read_by_its_revision(self) -> None:
        plan = self.page(after=1_500)

        self.assert_by("message_revision_once_per_group", plan, rows=WITH_MARKS)

    def test_the_plans_that_are_kept_are_the_same(self) -> None:
        values = {"group": self.group.pk, "user": self.student.pk, "before": MIDDLE, "after": 1_500}
        for kind, index in KEPT_BY.items():
            with self.subTest(kind):
                plan = self.kept(prepared(kind, as_moderator=False, is_usual=True), **values)
                self.assert_by(index, plan, rows=WITH_MARKS)

    def test_the_name_of_a_message_is_looked_up_in_the_index_of_names(self) -> None:
        """In a kept plan, too: that no name is empty stands in the query, and not beside it."""
        values = {"group": self.group.pk, "viewer": self.student.pk, "client_id": "name7"}

        plan = self.kept(BEFORE.of(self.student), **values)

        self.assertIn("message_client_id_once_per_author", plan)
        self.assertLessEqual(most_rows(plan), 3, plan)

    def test_what_is_quoted_is_looked_up_by_its_key(self) -> None:
        quoted = Message.objects.filter(group=self.group).latest("seq").pk
        values = {"group": self.group.pk, "viewer": self.student.pk, "client_id": "", "quoted": quoted}

        plan = self.kept(BEFORE_QUOTING.of(self.student), **values)

        for index in ("chat_message_pkey", "chat_message_reply_to"):
            self.assertIn(index, plan)
        self.assertNotIn("Seq Scan on chat_message", plan)

    def test_a_post_finds_the_counters_by_their_group(self) -> None:
        step = 'UPDATE "chat_conversation"'

        plan = self.asked("post", self.url, step, without=("seqscan",), text="Hello")

        self.assertIn("Index Scan using chat_conversation_group", plan)

    def test_mentions_are_found_by_whom_they_name(self) -> None:
        plan = self.asked("get", "/api/mentions/", '"chat_mention"."user_id"')

        self.assertIn("mention_by_person", plan)
        self.assertNotIn("Seq Scan on chat_mention", plan)

    def test_what_is_unread_is_counted_up_to_a_bound(self) -> None:
        plan = self.asked("get", "/api/groups/my-groups/", '"chat_readcursor"')

        self.assert_by("message_seq_once_per_group", plan, rows=100)
