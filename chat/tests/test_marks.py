"""What people leave on messages: signs, and quotes in other messages."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase

from chat.models import Conversation, Message, Reaction
from chat.tests.cases import REMOVED, STATES, UNKNOWN_ID, ChatCase
from chat.tests.factories import make_message
from core.testing import in_parallel
from groups.models import GroupMember
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

THUMB, PARTY = "\U0001f44d", "\U0001f389"


class ReactionTests(ChatCase):
    def test_signs_are_set_once_a_person_and_taken_back(self) -> None:
        message = self.write().pk

        for who, sign, method, shown in (
            (self.friend, THUMB, "put", {THUMB: [self.friend]}),
            (self.friend, THUMB, "put", {THUMB: [self.friend]}),
            (self.friend, PARTY, "put", {THUMB: [self.friend], PARTY: [self.friend]}),
            (self.student, PARTY, "put", {THUMB: [self.friend], PARTY: [self.student, self.friend]}),
            (self.student, THUMB, "delete", {THUMB: [self.friend], PARTY: [self.student, self.friend]}),
            (self.friend, PARTY, "delete", {THUMB: [self.friend], PARTY: [self.student]}),
            (self.friend, PARTY, "delete", {THUMB: [self.friend], PARTY: [self.student]}),
        ):
            answer = self.react(who, message, sign, method)
            self.assertEqual(answer.status_code, 200, answer.content)
            told = {row["sign"]: row["userIds"] for row in answer.json()["reactions"]}
            self.assertEqual(told, {sign: [user.pk for user in users] for sign, users in shown.items()})

    def test_what_changes_nothing_is_no_change(self) -> None:
        message = self.write().pk
        self.react(self.friend, message)

        for who, method in ((self.friend, "put"), (self.student, "delete")):
            self.assertEqual(self.react(who, message, method=method).json()["revision"], 2)
        self.assertEqual(Conversation.objects.get().last_revision, 2)

    def test_every_sign_of_the_set_will_do_and_no_other(self) -> None:
        message = self.write().pk

        for sign in Reaction.Sign.values:
            with self.subTest(sign):
                self.assertEqual(self.react(self.friend, message, sign).status_code, 200)
        for sign in ("x", "\U0001f4a9", "\u2764", "<b>", "%00", "x" * 300):
            for method in ("put", "delete"):
                with self.subTest(sign, method=method):
                    self.assert_refused(self.react(self.friend, message, sign, method), 400, "sign")

    def test_nobody_reacts_to_what_they_do_not_see(self) -> None:
        elsewhere = self.write(group=make_group(members=[self.student])).pk
        hidden = [self.write(**STATES[state]).pk for state in ("pending", "rejected", "removed")]

        for message in (*hidden, elsewhere, UNKNOWN_ID):
            with self.subTest(message):
                self.assert_refused(self.react(self.friend, message), 404)
        self.assert_refused(self.react(self.outsider, self.write().pk), 403)
        self.assertFalse(Reaction.objects.exists())

    def test_an_edit_leaves_them_where_they_are(self) -> None:
        message = self.posted()["id"]
        self.react(self.friend, message)

        edited = self.change(self.student, message, text="Changed").json()

        self.assertEqual(edited["reactions"], [{"sign": THUMB, "userIds": [self.friend.pk]}])


class QuoteTests(ChatCase):
    def test_a_quote_is_told_short(self) -> None:
        quoted = self.write(text="x" * 300)

        answer = self.posted(self.friend, text="Yes", replyTo=quoted.pk)

        author = {"id": self.student.pk, "name": "Ada Lovelace"}
        expected = {"id": quoted.pk, "author": author, "text": "x" * 200, "isDeleted": False}
        self.assertEqual(answer["replyTo"], expected)
        for role, who in self.readers.items():
            with self.subTest(role):
                self.assertEqual(self.page(who)["messages"][0]["replyTo"], expected)

    def test_a_quote_of_what_is_hidden_is_for_those_who_may_read_it(self) -> None:
        """B75."""
        for state, readers in (
            ("removed", {"mentor", "supervisor", "admin"}),
            ("rejected", {"mentor", "supervisor", "admin"}),
            ("pending", {"author", "mentor", "supervisor", "admin"}),
        ):
            quoted = self.write(text="Secret")
            answer = self.posted(self.friend, text="Yes", replyTo=quoted.pk)
            type(quoted).objects.filter(pk=quoted.pk).update(**STATES[state])
            for role, who in self.readers.items():
                with self.subTest(state, role=role):
                    shown = self.shown(who, answer["id"])
                    assert shown
                    expected = "Secret" if role in readers else REMOVED
                    self.assertEqual(shown["replyTo"]["text"], expected)
                    hidden = role not in readers or state != "pending"
                    self.assertEqual(shown["replyTo"]["isDeleted"], hidden)

    def test_what_quotes_a_message_changes_with_it(self) -> None:
        """A client that follows the feed alone must not keep what was removed, in a quote of it."""
        quoted = self.write(text="Secret")
        answer = self.posted(self.friend, text="Yes", replyTo=quoted.pk)

        call(self.mentor, "delete", self.url("group-message-detail", quoted.pk))

        changed = self.page(self.friend, after=answer["revision"])["messages"]
        quotes = {row["id"]: row["replyTo"] for row in changed}
        self.assertEqual(quotes[answer["id"]]["text"], REMOVED)

    def test_what_was_removed_does_not_come_up_again_with_what_it_quotes(self) -> None:
        """CONTRACT 9: no tombstone for those on whose screen the message never was. Restored it is fresh."""
        quoted = self.write(text="First")
        gone, rejected, kept = [self.posted(self.friend, text="Yes", replyTo=quoted.pk)["id"] for _ in "123"]
        self.remove(self.friend, gone)
        self.change(self.mentor, rejected, moderationStatus="rejected")
        known = self.page()["revision"]

        self.change(self.student, quoted.pk, text="Second")

        changed = [row["id"] for row in self.page(self.mentor, after=known)["messages"]]
        self.assertEqual(changed, [quoted.pk, kept])
        self.assertEqual(self.change(self.mentor, gone, restore=True).json()["replyTo"]["text"], "Second")

    def test_a_change_that_no_quote_shows_changes_no_quote(self) -> None:
        quoted = self.write(text="Hi")
        answer = self.posted(self.friend, text="Yes", replyTo=quoted.pk)

        body = {"moderationNote": "Kind"}
        call(self.mentor, "patch", self.url("group-message-detail", quoted.pk), body)

        changed = self.page(self.friend, after=answer["revision"])["messages"]
        self.assertEqual([row["id"] for row in changed], [quoted.pk])

    def test_a_message_is_quoted_so_often_and_no_more(self) -> None:
        quoted = self.write(text="Hi")
        with patch.object(Message, "QUOTES", 1):
            self.posted(self.friend, text="Yes", replyTo=quoted.pk)
            again = call(self.friend, "post", self.url(), {"text": "Yes", "replyTo": quoted.pk})

        self.assert_refused(again, 400, "replyTo")

    def test_a_null_quote_is_none(self) -> None:
        self.assertIsNone(self.posted(replyTo=None)["replyTo"])

    def test_a_quote_of_a_quote_goes_one_step_back(self) -> None:
        first = self.posted()["id"]
        second = self.posted(replyTo=first)["id"]

        third = self.posted(replyTo=second)

        self.assertEqual((third["replyTo"]["id"], "replyTo" in third["replyTo"]), (second, False))


@skipUnless(connection.vendor == "postgresql", "races need a database that runs writers side by side")
class RaceTests(TransactionTestCase):
    def test_ten_people_who_react_at_once_are_all_counted(self) -> None:
        cache.clear()
        message = make_message()
        people = [make_user() for _ in range(10)]
        for who in people:
            GroupMember.objects.create(group=message.group, user=who)
        path = f"/api/groups/{message.group_id}/messages/{message.pk}/reactions/{THUMB}"

        answers: list[Any] = in_parallel(lambda n: call(people[n // 2], "put", path), 20)

        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(Reaction.objects.count(), 10)
        message.refresh_from_db()
        self.assertEqual(message.revision, 11)
