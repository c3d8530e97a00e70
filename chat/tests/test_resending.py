"""``clientId``, the budget, and a channel layer that is down: posting that may be tried again (D26)."""

from __future__ import annotations

from typing import Any, Final
from unittest import skipUnless

from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase, override_settings

from chat.models import Message
from chat.tests.cases import ChatCase
from core.testing import in_parallel
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

NOBODY_THERE: Final = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
    }
}


class ClientIdTests(ChatCase):
    def test_the_same_again_finds_the_same_message(self) -> None:
        """SAFETY B34."""
        first = self.posted(clientId="a")

        again = self.post(text=" Hello ", clientId="a")

        self.assertEqual((again.status_code, again.json()), (200, first))
        self.assertEqual(Message.objects.count(), 1)

    def test_again_finds_it_as_it_is_now(self) -> None:
        first = self.posted(clientId="a")
        self.change(self.mentor, first["id"], moderationStatus="pending")

        again = self.post(text="Hello", clientId="a")

        self.assertEqual((again.status_code, again.json()["moderation"]["status"]), (200, "pending"))

    def test_again_after_its_removal_is_a_tombstone(self) -> None:
        first = self.posted(clientId="a")
        self.remove(self.mentor, first["id"])

        again = self.post(text="Hello", clientId="a")

        self.assertEqual((again.status_code, again.json()["isDeleted"]), (200, True))
        self.assertNotIn("Hello", str(again.json()))

    def test_another_content_under_the_same_name_is_refused(self) -> None:
        quoted = self.posted(clientId="a")["id"]

        for body in ({"text": "Bye"}, {"text": "Hello", "replyTo": quoted}):
            with self.subTest(body):
                response = self.post(clientId="a", **body)
                self.assert_refused(response, 422)
                self.assertEqual(response.json()["code"], "client_id_reused")

    def test_each_person_and_each_group_has_names_of_its_own(self) -> None:
        other = make_group(members=[self.student])
        self.posted(clientId="a")

        self.posted(self.friend, clientId="a", text="Other")
        response = call(self.student, "post", self.url(group=other), {"text": "Third", "clientId": "a"})

        self.assertEqual((response.status_code, Message.objects.count()), (201, 3))

    def test_an_empty_name_is_none(self) -> None:
        ids = {self.posted(clientId="")["id"] for _ in range(2)}

        self.assertEqual(len(ids), 2)

    def test_its_author_alone_reads_it(self) -> None:
        self.assertEqual(self.posted(clientId="a")["clientId"], "a")

        for role, who in self.readers.items():
            with self.subTest(role):
                told = self.page(who)["messages"][0]["clientId"]
                self.assertEqual(told, "a" if role == "author" else None)

    def test_who_has_left_does_not_get_it_again(self) -> None:
        self.posted(self.friend, clientId="a")
        self.group.members.filter(user=self.friend).delete()

        self.assert_refused(self.post(self.friend, text="Hello", clientId="a"), 403)

    @override_settings(CHAT_BURST=1, CHAT_PER_SECOND=1 / 3600)
    def test_a_repeat_is_not_charged(self) -> None:
        self.posted(clientId="a")

        self.assertEqual(self.post(text="Hello", clientId="a").status_code, 200)


@override_settings(CHAT_BURST=2, CHAT_PER_SECOND=1 / 3600)
class BudgetTests(ChatCase):
    def test_a_person_has_one_budget_in_all_groups(self) -> None:
        """SAFETY B31."""
        other = make_group(members=[self.student])
        for group in (self.group, other):
            self.assertEqual(
                call(self.student, "post", self.url(group=group), {"text": "x"}).status_code, 201
            )

        response = self.post(text="x")

        self.assert_refused(response, 429)
        self.assertLessEqual(1, int(response.headers["Retry-After"]))
        self.assertEqual(Message.objects.count(), 2)

    def test_others_have_their_own(self) -> None:
        for who in (self.student, self.student, self.friend, self.friend):
            self.posted(who)

    def test_what_is_not_valid_is_not_charged(self) -> None:
        for body in ({}, {"text": 5}, {"text": "x" * 10_001}, {"attachments": [{"url": "javascript:x"}]}):
            self.assertEqual(self.post(**body).status_code, 400)

        self.posted()
        self.posted()


@override_settings(CHANNEL_LAYERS=NOBODY_THERE)
class DeadLayerTests(ChatCase):
    def test_a_message_is_stored_and_answered_though_nobody_can_be_told(self) -> None:
        """B61: an error would have the client send it again."""
        with self.assertLogs("core.realtime"), self.captureOnCommitCallbacks(execute=True) as callbacks:
            message = self.posted(clientId="a")

        self.assertEqual(len(callbacks), 1)
        self.assertEqual(Message.objects.get().pk, message["id"])

    def test_what_is_done_to_a_message_is_answered_too(self) -> None:
        """B61."""
        message = self.write().pk
        with self.assertLogs("core.realtime"), self.captureOnCommitCallbacks(execute=True):
            answers = [
                self.change(self.mentor, message, moderationNote="x"),
                self.react(self.friend, message),
                call(self.friend, "post", self.url("group-read")),
                self.remove(self.mentor, message),
            ]

        self.assertEqual([answer.status_code for answer in answers], [200] * 4)


@skipUnless(connection.vendor == "postgresql", "races need a database that runs writers side by side")
@override_settings(CHAT_BURST=1_000)
class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.student = make_user()
        self.group = make_group(members=[self.student])

    def post(self, **body: Any) -> Any:
        return call(self.student, "post", f"/api/groups/{self.group.pk}/messages", body)

    def test_twenty_at_once_with_one_name_are_one_message(self) -> None:
        """SAFETY B34."""
        answers = in_parallel(lambda _: self.post(text="Hello", clientId="a"), 20)

        self.assertEqual(sorted(answer.status_code for answer in answers), [200] * 19 + [201])
        self.assertEqual({answer.json()["id"] for answer in answers}, {Message.objects.get().pk})

    def test_twenty_first_messages_at_once_stand_in_one_order(self) -> None:
        """B72."""
        answers = in_parallel(lambda n: self.post(text=str(n)), 20)

        by_seq = sorted((answer.json() for answer in answers), key=lambda message: int(message["seq"]))
        self.assertEqual([message["seq"] for message in by_seq], list(range(1, 21)))
        moments = [message["timestamp"] for message in by_seq]
        self.assertEqual(moments, sorted(set(moments)))
