"""What the tables of chat allow, and what a message gets when it is stored (CONTRACT D28)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from unittest import skipUnless

import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import TestCase, TransactionTestCase

from chat.models import Conversation, Message, MessageAttachment
from chat.tests.factories import make_message
from core.testing import in_parallel
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class NumberingTests(TestCase):
    author: User
    group: Group

    @classmethod
    def setUpTestData(cls) -> None:
        cls.author = make_user()
        cls.group = make_group(members=[cls.author])

    def post(self, **fields: object) -> Message:
        return make_message(group=self.group, author=self.author, **fields)

    def test_messages_are_numbered_as_they_come(self) -> None:
        posted = [self.post() for _ in range(3)]

        self.assertEqual([(m.seq, m.revision) for m in posted], [(1, 1), (2, 2), (3, 3)])
        conversation = Conversation.objects.get(group=self.group)
        self.assertEqual((conversation.last_seq, conversation.last_revision), (3, 3))
        self.assertEqual(conversation.last_created_at, posted[-1].created_at)

    def test_each_group_counts_for_itself(self) -> None:
        self.post()

        self.assertEqual(make_message(author=self.author).seq, 1)

    @time_machine.travel(NOON, tick=False)
    def test_messages_of_one_moment_lie_a_millisecond_apart(self) -> None:
        moments = [self.post().created_at for _ in range(20)]

        self.assertEqual(moments, [NOON + n * MILLISECOND for n in range(20)])

    def test_a_clock_that_goes_back_does_not_turn_the_order_round(self) -> None:
        with time_machine.travel(NOON, tick=False):
            self.post()
        with time_machine.travel(NOON - timedelta(hours=1), tick=False):
            late = self.post()

        self.assertEqual(late.created_at, NOON + MILLISECOND)

    def test_a_given_moment_is_kept(self) -> None:
        self.post()
        backdated = self.post(created_at=NOON)

        self.assertEqual(Message.objects.get(pk=backdated.pk).created_at, NOON)
        self.assertEqual(list(self.group.messages.all())[-1], backdated)

    def test_saving_again_changes_no_number(self) -> None:
        message = self.post()
        message.text = "Hello again"
        message.save()

        message.refresh_from_db()
        self.assertEqual((message.seq, message.revision), (1, 1))

    def test_many_at_once_are_numbered_too(self) -> None:
        self.post()
        other = make_group()
        rows = [Message(group=group, text="Hi") for group in (self.group, other, self.group)]

        Message.objects.bulk_create(rows)

        self.assertEqual([row.seq for row in rows], [2, 1, 3])
        self.assertLess(rows[0].created_at, rows[2].created_at)

    def test_a_failed_insert_takes_no_number(self) -> None:
        self.post(client_id="a")

        with self.assertRaises(IntegrityError), transaction.atomic():
            self.post(client_id="a")

        self.assertEqual(self.post().seq, 2)

    def test_posting_costs_three_queries(self) -> None:
        self.post()

        with self.assertNumQueries(3):
            self.post()


class MessageTests(TestCase):
    def test_a_message_outlives_its_author_and_its_moderator(self) -> None:
        moderator = make_user()
        message = make_message(deleted_by=moderator, moderated_by=moderator)
        assert message.author

        message.author.delete()
        moderator.delete()

        message.refresh_from_db()
        self.assertEqual((message.author, message.deleted_by, message.moderated_by), (None, None, None))

    def test_a_client_names_a_message_once_in_a_group(self) -> None:
        first = make_message(client_id="a")
        make_message(author=first.author, client_id="a")
        make_message(group=first.group, client_id="a")

        with self.assertRaises(IntegrityError):
            make_message(group=first.group, author=first.author, client_id="a")

    def test_messages_without_a_client_name_are_many(self) -> None:
        first = make_message()

        self.assertEqual(make_message(group=first.group, author=first.author).seq, 2)

    def test_a_message_goes_with_its_group_and_its_attachments_with_it(self) -> None:
        message = make_message()
        message.attachments.create(file_url="https://cdn.example.org/a.pdf", filename="a.pdf")

        message.group.delete()

        self.assertFalse(Message.objects.exists() or Conversation.objects.exists())
        self.assertFalse(MessageAttachment.objects.exists())

    def test_an_attachment_may_be_larger_than_2_gigabytes_but_not_smaller_than_nothing(self) -> None:
        attachments = make_message().attachments

        attachments.create(file_url="https://cdn.example.org/a.mp4", filename="a.mp4", file_size=2**40)

        with self.assertRaises(IntegrityError):
            attachments.create(file_url="https://cdn.example.org/b", filename="b", file_size=-1)


@skipUnless(connection.vendor == "postgresql", "races need a database that runs writers side by side")
class RaceTests(TransactionTestCase):
    def test_thirty_posts_at_once_stand_in_one_order(self) -> None:
        author, group = make_user(), make_group()

        posted = in_parallel(lambda n: make_message(group=group, author=author, text=str(n)), 30)

        by_seq = sorted(posted, key=lambda message: message.seq)
        self.assertEqual([message.seq for message in by_seq], list(range(1, 31)))
        moments = [message.created_at for message in by_seq]
        self.assertTrue(all(b - a >= MILLISECOND for a, b in pairwise(moments)))

    def test_two_bulks_over_the_same_groups_do_not_block_each_other_for_good(self) -> None:
        groups = [make_group() for _ in range(4)]

        def post(number: int) -> int:
            order = groups if number % 2 else groups[::-1]
            return len(Message.objects.bulk_create(Message(group=group, text="Hi") for group in order))

        self.assertEqual(in_parallel(post, 10), [4] * 10)
        self.assertEqual(Message.objects.filter(seq=10).count(), 4)
