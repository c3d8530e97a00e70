"""How far people have read, and what their list of groups shows of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from chat.models import Message, ReadCursor
from chat.tests.cases import STATES, ChatCase
from groups.models import GroupMember
from groups.tests.cases import call, url
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User


class CursorTests(ChatCase):
    def read(self, who: User, **body: Any) -> Any:
        return call(who, "post", self.url("group-read"), body)

    def seen(self, who: User | None = None) -> dict[int, int]:
        """Return how far each has read, by id, as somebody is told."""
        response = call(who or self.student, "get", self.url("group-read"))
        self.assertEqual(response.status_code, 200)
        return {row["user"]["id"]: row["seq"] for row in response.json()["readers"]}

    def setUp(self) -> None:
        super().setUp()
        for _ in range(3):
            self.write()

    def test_a_cursor_goes_on_and_never_back_nor_beyond_the_end(self) -> None:
        for asked, reached in ((0, 0), (2, 2), (1, 2), (0, 2), (2**63 - 1, 3), (None, 3)):
            with self.subTest(asked):
                answer = self.read(self.friend, seq=asked)
                self.assertEqual((answer.status_code, answer.json()["seq"]), (200, reached))

    def test_without_a_place_it_goes_to_the_end(self) -> None:
        self.assertEqual(self.read(self.friend).json()["seq"], 3)

    def test_a_place_that_is_none_is_refused(self) -> None:
        bad: tuple[Any, ...] = (-1, "x", 1.5, [], 2**63)
        for seq in bad:
            with self.subTest(seq):
                self.assert_refused(self.read(self.friend, seq=seq), 400, "seq")

    def test_one_row_is_kept_for_each_person_and_group(self) -> None:
        for seq in (1, 2, 3):
            self.read(self.friend, seq=seq)

        self.assertEqual(ReadCursor.objects.get().seq, 3)

    def test_everybody_in_the_group_sees_who_has_read_how_far(self) -> None:
        self.read(self.friend, seq=2)
        self.read(self.mentor)

        for role, who in self.readers.items():
            with self.subTest(role):
                self.assertEqual(self.seen(who), {self.friend.pk: 2, self.mentor.pk: 3})

    def test_who_is_not_in_the_group_or_not_any_more_is_not_among_them(self) -> None:
        for who in (self.student, self.friend, self.supervisor, self.admin):
            self.read(who)

        self.group.members.filter(user=self.friend).delete()

        self.assertEqual(self.seen(), {self.student.pk: 3})

    def test_that_somebody_looks_in_who_is_not_in_the_group_is_told_to_nobody(self) -> None:
        for who, told in ((self.friend, 1), (self.mentor, 1), (self.supervisor, 0), (self.admin, 0)):
            with self.subTest(who.role), self.captureOnCommitCallbacks() as rung:
                self.read(who)
            self.assertEqual(len(rung), told)

    def test_reading_tells_neither_an_address_nor_a_place_of_another_group(self) -> None:
        self.read(self.friend)
        other = make_group(members=[self.friend])
        self.write(group=other)
        call(self.friend, "post", self.url("group-read", group=other))

        response = call(self.student, "get", self.url("group-read"))

        name = f"Student {self.friend.pk}"
        (row,) = response.json()["readers"]
        self.assertEqual((row["user"], row["seq"]), ({"id": self.friend.pk, "name": name}, 3))

    def test_outsiders_neither_read_nor_see(self) -> None:
        for method in ("get", "post"):
            with self.subTest(method):
                path = self.url("group-read")
                self.assert_refused(call(self.outsider, method, path), 403)
                self.assert_refused(call(self.outsider, method, path.replace("BTF046", "BTF999")), 404)
        self.assert_refused(call(self.outsider, "post", self.url("group-read"), {"seq": "x"}), 403)

    def test_seen_by_costs_the_same_for_2_and_for_20(self) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(self.url("group-read"))
            return len(captured)

        client = signed_in_client(self.student)
        self.read(self.friend)
        few = cost()
        more = [make_user() for _ in range(20)]
        GroupMember.objects.bulk_create(GroupMember(group=self.group, user=who) for who in more)
        ReadCursor.objects.bulk_create(ReadCursor(group=self.group, user=who, seq=3) for who in more)

        self.assertEqual((cost(), len(self.seen())), (few, 21))


class OwnGroupsTests(ChatCase):
    def row(self, who: User) -> dict[str, Any]:
        """Return the group's row in somebody's list."""
        rows = call(who, "get", url("my-groups")).json()["groups"]
        row: dict[str, Any] = next(row for row in rows if row["id"] == self.group.pk)
        return row

    def test_what_others_have_said_since_is_unread(self) -> None:
        for _ in range(3):
            self.write()

        self.assertEqual([self.row(who)["unread"] for who in (self.student, self.friend)], [0, 3])

        call(self.friend, "post", self.url("group-read"), {"seq": 2})
        self.assertEqual(self.row(self.friend)["unread"], 1)

    def test_no_more_than_a_hundred_are_counted_nor_beyond_the_last_thousand(self) -> None:
        Message.objects.bulk_create(Message(group=self.group, text="x") for _ in range(101))
        with patch("chat.services.reading.LOOKED_AT", 50):
            self.assertEqual(self.row(self.friend)["unread"], 50)
        self.assertEqual(self.row(self.friend)["unread"], 100)

        call(self.friend, "post", self.url("group-read"), {"seq": 2})
        self.assertEqual(self.row(self.friend)["unread"], 99)

    def test_a_former_members_message_is_unread_too(self) -> None:
        self.write(author=None)

        self.assertEqual(self.row(self.friend)["unread"], 1)

    def test_what_is_not_in_sight_counts_for_nobody(self) -> None:
        self.write(text="last")
        for state in ("pending", "rejected", "removed"):
            self.write(text="hidden", **STATES[state])

        for who in (self.friend, self.mentor):
            with self.subTest(who.role):
                row = self.row(who)
                self.assertEqual((row["unread"], row["lastMessage"]["text"]), (1, "last"))

    def test_the_last_message_is_told_short(self) -> None:
        message = self.write(text="x" * 300)

        told = self.row(self.friend)["lastMessage"]

        moment = message.created_at.isoformat().replace("+00:00", "Z")
        author = {"id": self.student.pk, "name": "Ada Lovelace"}
        expected = {"id": message.pk, "author": author, "text": "x" * 200, "timestamp": moment}
        self.assertEqual(told, expected)

    def test_a_group_where_nothing_was_said_has_none(self) -> None:
        row = self.row(self.student)

        self.assertEqual((row["unread"], row["lastMessage"]), (0, None))

    def test_the_last_is_the_newest_in_time(self) -> None:
        self.write(text="new")
        self.write(text="old", created_at=timezone.now() - timedelta(days=1))

        self.assertEqual(self.row(self.friend)["lastMessage"]["text"], "new")

    def test_the_list_costs_four_queries_for_1_and_for_50_groups(self) -> None:
        client = signed_in_client(self.friend)
        self.write()
        for count in (1, 50):
            for _ in range(count - 1):
                group = make_group(members=[self.friend], mentor=self.mentor)
                Message.objects.bulk_create(Message(group=group, text="x") for _ in range(2))
            with self.subTest(count), CaptureQueriesContext(connection) as captured:
                rows = client.get(url("my-groups")).json()["groups"]
            self.assertEqual(len(rows), count)
            self.assertLessEqual(len(captured), 4)
