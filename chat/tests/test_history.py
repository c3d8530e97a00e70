"""``GET /api/groups/{gid}/messages`` (CONTRACT 8.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Mention, Message, MessageAttachment, Reaction
from chat.tests.cases import STATES, ChatCase
from groups.models import GroupMember
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAD: Final[dict[str, tuple[str, ...]]] = {
    "limit": ("", "x", "1.5", "1.0", "1_0", "1e3", "9" * 5_000, "\x00"),
    "before": (
        *("yesterday", "2026-11-25", "2026-11-25T09:30:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z"),
        *("2026-11-25T09:30:00 00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\x00"),
        *("2026-11-25T25:00:00Z", "x" * 5_000, "1764063000"),
    ),
    "after": ("", "-1", "x", "1.5", "1.0", str(2**63), "9" * 5_000),
}
# Whom a message of that state is shown to; the others do not learn that it is there.
SEES: Final = {
    "approved": {"author", "member", "mentor", "supervisor", "admin"},
    "pending": {"author", "mentor", "supervisor", "admin"},
    "rejected": {"mentor", "supervisor", "admin"},
    "removed": {"mentor", "supervisor", "admin"},
}


class ParameterTests(ChatCase):
    def test_a_value_that_cannot_be_one_is_refused_by_its_name(self) -> None:
        """B73."""
        for name, values in BAD.items():
            for value in values:
                with self.subTest(name, value=value[:40]):
                    response = call(self.student, "get", self.url(), **{name: value})
                    self.assert_refused(response, 400, name)

    def test_before_and_after_do_not_go_together(self) -> None:
        response = call(self.student, "get", self.url(), after=0, before="2026-11-25T09:30:00Z")

        self.assert_refused(response, 400, "after")

    def test_an_empty_before_is_none(self) -> None:
        self.write()

        self.assertEqual(self.texts(before=""), ["Hello"])
        self.assertEqual(self.texts(before="", after=0), ["Hello"])

    def test_a_limit_beyond_its_bounds_is_the_nearest_of_them(self) -> None:
        Message.objects.bulk_create(Message(group=self.group, text=str(n)) for n in range(101))

        for asked, given in ((-5, 1), (0, 1), (7, 7), (100, 100), (101, 100), (10**9, 100)):
            with self.subTest(asked):
                page = self.page(limit=asked)
                self.assertEqual((len(page["messages"]), page["hasMore"]), (given, True))
        self.assertEqual(len(self.page()["messages"]), 50)

    def test_before_takes_any_offset(self) -> None:
        self.write(created_at=NOON)

        self.assertEqual(self.texts(before="2026-03-01T23:00:01+11:00"), ["Hello"])
        self.assertEqual(self.texts(before="2026-03-01T12:00:00Z"), [])


class PageTests(ChatCase):
    def test_the_newest_comes_first(self) -> None:
        for text in ("one", "two", "three"):
            self.write(text=text)

        self.assertEqual(self.texts(), ["three", "two", "one"])

    def test_more_is_said_only_where_there_is_more(self) -> None:
        for text in ("one", "two"):
            self.write(text=text)

        self.assertEqual([self.page(limit=n)["hasMore"] for n in (1, 2, 3)], [True, False, False])

    def test_what_is_hidden_does_not_count_as_more(self) -> None:
        for fields in (STATES["removed"], STATES["rejected"], {}):
            self.write(**fields)

        self.assertFalse(self.page(limit=1)["hasMore"])
        self.assertTrue(self.page(self.mentor, limit=1)["hasMore"])

    def test_a_row_that_was_dated_back_stands_where_its_date_is(self) -> None:
        """D28."""
        self.write(text="new")
        self.write(text="old", created_at=NOON)

        self.assertEqual(self.texts(), ["new", "old"])

    def test_a_conversation_without_messages_is_empty(self) -> None:
        self.assertEqual(self.page(), {"messages": [], "hasMore": False, "revision": 0})

    def test_a_message_is_told_whole(self) -> None:
        message = self.write(text="Look", client_id="mine")
        message.attachments.create(file_url="https://cdn.example.org/a.pdf", filename="a.pdf", file_size=3)

        shown = self.page(self.friend)["messages"][0]

        moment = message.created_at.isoformat().replace("+00:00", "Z")
        attachment = {"file_url": "https://cdn.example.org/a.pdf", "filename": "a.pdf", "file_size": 3}
        self.assertEqual(
            shown,
            {
                "id": message.pk,
                "author": {"id": self.student.pk, "name": "Ada Lovelace"},
                "text": "Look",
                "timestamp": moment,
                "attachments": [{**attachment, "mime_type": "application/octet-stream"}],
                "isDeleted": False,
                "deletedAt": None,
                "deletedBy": None,
                "moderation": {
                    "status": "approved",
                    "note": None,
                    "moderatedAt": None,
                    "moderatedBy": None,
                },
                "editedAt": None,
                "seq": 1,
                "revision": 1,
                "clientId": None,
                "replyTo": None,
                "reactions": [],
                "mentions": [],
            },
        )

    def test_a_former_member_has_no_name(self) -> None:
        """D5."""
        self.write()
        self.student.delete()

        author = self.page(self.friend)["messages"][0]["author"]

        self.assertEqual(author, {"id": 0, "name": "Former member"})

    def test_nobody_learns_an_address(self) -> None:
        self.write(author=self.friend)

        for who in self.readers.values():
            self.assertNotIn("nameless", str(self.page(who)))


class WhoSeesWhatTests(ChatCase):
    def test_each_state_is_shown_to_whom_it_is_for(self) -> None:
        """D4; B75."""
        for state, fields in STATES.items():
            message = self.write(text=state, **fields)
            for role, who in self.readers.items():
                with self.subTest(state, role=role):
                    shown = self.shown(who, message.pk)
                    self.assertEqual(shown is not None, role in SEES[state])
                    if shown:
                        self.assertEqual(shown["text"], state)
                        self.assertEqual(shown["isDeleted"], state in {"rejected", "removed"})

    def test_a_moderators_note_is_for_moderators_and_the_author(self) -> None:
        message = self.write(moderation_note="Be kind")

        for role, who in self.readers.items():
            with self.subTest(role):
                shown = self.shown(who, message.pk)
                assert shown
                self.assertEqual(shown["moderation"]["note"], None if role == "member" else "Be kind")

    def test_moderators_read_the_attachments_of_what_is_removed(self) -> None:
        message = self.write(**STATES["removed"])
        message.attachments.create(file_url="https://cdn.example.org/a.pdf", filename="a.pdf")

        shown = self.shown(self.mentor, message.pk)
        assert shown

        self.assertEqual([file["filename"] for file in shown["attachments"]], ["a.pdf"])

    def test_who_is_not_in_the_group_is_told_so(self) -> None:
        """D12."""
        past, archived = make_user(), make_group(members=[self.student], archived_at=timezone.now())
        GroupMember.objects.create(group=self.group, user=past).delete()
        strangers: dict[str, User] = {
            "outsider": self.outsider,
            "other mentor": make_user(role="mentor", status="active"),
            "other supervisor": make_user(role="supervisor", status="active"),
            "staff": make_user(is_staff=True),
            "past member": past,
        }

        for role, who in strangers.items():
            with self.subTest(role):
                self.assert_refused(call(who, "get", self.url()), 403)
                self.assert_refused(call(who, "get", self.url().replace("BTF046", "BTF999")), 404)
        for who in (self.student, self.admin):
            self.assert_refused(call(who, "get", self.url(group=archived)), 404)

    def test_nobody_reads_without_signing_in(self) -> None:
        self.assert_refused(call(None, "get", self.url()), 401)  # type: ignore[arg-type]


class CostTests(ChatCase):
    def fill(self, count: int) -> None:
        quoted = self.write(text="First")
        rows = Message.objects.bulk_create(
            Message(group=self.group, author=self.student, text="x", reply_to=quoted) for _ in range(count)
        )
        MessageAttachment.objects.bulk_create(
            MessageAttachment(message=row, file_url="https://x.example/a", filename="a") for row in rows
        )
        Reaction.objects.bulk_create(
            Reaction(message=row, user=who, sign="\U0001f44d")
            for row in rows
            for who in (self.student, self.friend)
        )
        Mention.objects.bulk_create(Mention(message=row, user=self.friend) for row in rows)

    def queries(self, who: User, **query: Any) -> int:
        client = self.client_of(who)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(self.url(), query).status_code, 200)
        return len(captured)

    def test_a_page_costs_three_queries_however_long_it_is(self) -> None:
        """Who asks, what they see, and the page with all that hangs on it (B74)."""
        self.fill(120)

        for who in (self.student, self.mentor, self.supervisor, self.admin):
            for query in ({}, {"after": 1}, {"before": timezone.now().isoformat().replace("+00:00", "Z")}):
                with self.subTest(who.role, **query):
                    costs = [self.queries(who, limit=limit, **query) for limit in (1, 50, 100)]
                    self.assertEqual(costs, [3, 3, 3])
