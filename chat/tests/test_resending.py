"""``clientId``, the budget, and a channel layer that is down: posting that may be tried again (D26)."""

from __future__ import annotations

from threading import Barrier
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless
from unittest.mock import patch

from django.core.cache import cache
from django.db import connection
from django.test import SimpleTestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from chat.models import Message
from chat.services.posting import Draft, admit_frame, charge
from chat.tests.cases import UNKNOWN_ID, ChatCase
from core.refusals import TooMany
from core.testing import in_parallel
from groups.models import GroupMember
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User

NOBODY_THERE: Final = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
    }
}


def client_of(who: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(who)
    return client


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


class KeyTests(ChatCase):
    """``Idempotency-Key`` in the place of ``clientId``."""

    def send(self, key: str = "k-1", who: User | None = None, group: Group | None = None, **body: Any) -> Any:
        headers = {"Idempotency-Key": key}
        sent = {"text": "Hello", **body}
        return client_of(who or self.student).post(
            self.url(group=group), sent, format="json", headers=headers
        )

    def test_the_same_again_finds_the_same_message_and_there_is_one_event(self) -> None:
        """SAFETY B34."""
        with self.captureOnCommitCallbacks() as callbacks:
            first, *again = [self.send() for _ in range(4)]

        self.assertEqual([first.status_code, *(one.status_code for one in again)], [201, 200, 200, 200])
        self.assertEqual([one.json() for one in again], [first.json()] * 3)
        marks = [one.headers.get("Idempotent-Replayed") for one in (first, *again)]
        self.assertEqual(marks, [None, "true", "true", "true"])
        self.assertEqual((Message.objects.count(), len(callbacks)), (1, 1))

    def test_another_content_by_the_same_key_is_refused(self) -> None:
        self.send()

        response = self.send(text="Bye")

        self.assert_refused(response, 422)
        self.assertEqual(response.json()["code"], "idempotency_key_reused")

    def test_each_person_and_each_group_has_keys_of_its_own(self) -> None:
        self.send()

        other = make_group(members=[self.student])
        self.assertEqual(
            [self.send(who=self.friend).status_code, self.send(group=other).status_code], [201, 201]
        )

    def test_a_name_in_the_body_goes_before(self) -> None:
        ids = [self.send(key, clientId="a").json()["id"] for key in ("k-1", "k-2")]

        self.assertEqual(len(set(ids)), 1)
        self.assertEqual(self.send("k-1").status_code, 201)

    def test_what_is_kept_of_a_key_does_not_tell_it(self) -> None:
        """SAFETY B40: a client may write an address into it."""
        told = self.send("ada@example.org").json()

        self.assertNotIn("ada@example.org", f"{told} {Message.objects.values()}")
        self.assertEqual(len(told["clientId"]), 64)

    def test_the_longest_key_is_taken_and_what_is_none_refused(self) -> None:
        self.assertEqual(self.send("k" * 255).status_code, 201)
        for key in ("", "a b", "k" * 256, "é"):
            with self.subTest(key[:3]):
                self.assert_refused(self.send(key), 400, "Idempotency-Key")

    def test_who_has_left_does_not_get_it_again(self) -> None:
        self.send(who=self.friend)
        self.group.members.filter(user=self.friend).delete()

        self.assert_refused(self.send(who=self.friend), 403)

    def test_what_was_refused_leaves_no_trace(self) -> None:
        self.assert_refused(self.send(text=""), 400, "text")

        self.assertEqual(self.send().status_code, 201)


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

    def test_what_is_refused_is_not_charged(self) -> None:
        """SAFETY B31: a foreign host, a quote of nothing, another's name, somebody outside."""
        self.posted(clientId="a")
        foreign = {"url": "https://evil.example/a.pdf", "filename": "a.pdf"}
        for who, body, status in (
            (self.student, {"attachments": [foreign]}, 400),
            (self.student, {"text": "x", "replyTo": UNKNOWN_ID}, 400),
            (self.student, {"text": "x", "clientId": "a"}, 422),
            (self.outsider, {"text": "x"}, 403),
        ):
            for _ in range(3):
                self.assertEqual(self.post(who, **body).status_code, status)

        self.posted()
        GroupMember.objects.create(group=self.group, user=self.outsider)
        for _ in range(2):
            self.posted(self.outsider)

    def test_what_is_refused_under_the_lock_is_not_charged_in_the_end(self) -> None:
        """SAFETY B31: whoever leaves, or sends the same twice, at this very moment."""

        def leave(author: User) -> None:
            charge(author)
            self.group.members.filter(user=author).delete()

        def post_the_same(author: User) -> None:
            charge(author)
            self.write(client_id="a", client_digest=Draft("Hello", client_id="a").digests[0])

        with patch("chat.services.posting.charge", post_the_same):
            self.assertEqual(self.post(text="Hello", clientId="a").status_code, 200)
        with patch("chat.services.posting.charge", leave):
            self.assert_refused(self.post(text="Hello"), 403)

        GroupMember.objects.create(group=self.group, user=self.student)
        self.posted()
        self.posted()
        self.assert_refused(self.post(text="x"), 429)

    def test_a_quote_that_is_removed_at_this_moment_is_refused(self) -> None:
        quoted = self.write(text="Secret")

        def remove(author: User) -> None:
            charge(author)
            self.remove(self.mentor, quoted.pk)

        with patch("chat.services.posting.charge", remove):
            self.assert_refused(self.post(self.friend, text="x", replyTo=quoted.pk), 400, "replyTo")

    def test_nobody_waits_in_a_conversation_for_the_store_of_the_budgets(self) -> None:
        def is_outside(author: User) -> None:
            self.assertFalse(any("FOR UPDATE" in q["sql"] for q in captured.captured_queries))
            self.assertEqual(len(connection.savepoint_ids), depth)

        depth = len(connection.savepoint_ids)
        with patch("chat.services.posting.charge", is_outside), CaptureQueriesContext(connection) as captured:
            self.posted()


class FrameTests(SimpleTestCase):
    def test_frames_have_a_budget_whatever_comes_of_them(self) -> None:
        """SAFETY B31: a name that is known, and a body that is none, cost queries as well."""
        cache.clear()
        with patch("chat.services.posting.FRAMES_BURST", 3):
            for _ in range(3):
                admit_frame(7)
            with self.assertRaises(TooMany) as refused:
                admit_frame(7)
            admit_frame(8)

        self.assertEqual(refused.exception.retry_after, 1)


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

    def test_twenty_at_once_with_one_key_are_one_message_and_one_event(self) -> None:
        """SAFETY B34."""
        url, headers = f"/api/groups/{self.group.pk}/messages", {"Idempotency-Key": "k-1"}

        def send(_: int) -> Any:
            return client_of(self.student).post(url, {"text": "Hello"}, format="json", headers=headers)

        with patch("chat.realtime.send_to_room") as bell:
            answers = in_parallel(send, 20)

        self.assertEqual(sorted(answer.status_code for answer in answers), [200] * 19 + [201])
        self.assertEqual({answer.json()["id"] for answer in answers}, {Message.objects.get().pk})
        self.assertEqual(bell.call_count, 1)

    @override_settings(CHAT_BURST=6, CHAT_PER_SECOND=1 / 3600)
    def test_what_is_sent_several_times_at_once_is_charged_once(self) -> None:
        """SAFETY B31: none is stored before all are charged."""
        charged = Barrier(6)

        def charge_all(author: User) -> None:
            charge(author)
            charged.wait(timeout=10)

        with patch("chat.services.posting.charge", charge_all):
            answers = in_parallel(lambda _: self.post(text="Hello", clientId="a"), 6)
        self.assertEqual(sorted(answer.status_code for answer in answers), [200] * 5 + [201])

        later = [self.post(text="Hello").status_code for _ in range(6)]
        self.assertEqual(later, [201] * 5 + [429])

    def test_twenty_first_messages_at_once_stand_in_one_order(self) -> None:
        """B72."""
        answers = in_parallel(lambda n: self.post(text=str(n)), 20)

        by_seq = sorted((answer.json() for answer in answers), key=lambda message: int(message["seq"]))
        self.assertEqual([message["seq"] for message in by_seq], list(range(1, 21)))
        moments = [message["timestamp"] for message in by_seq]
        self.assertEqual(moments, sorted(set(moments)))
