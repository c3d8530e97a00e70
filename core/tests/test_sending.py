"""The mail of deliveries against a real SMTP server that takes, refuses, hangs up, stalls, or is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from core.models import Delivery, MailTrouble, Notice
from core.notifications import sending
from core.notifications.sending import LEASE, claim, send_next_batch
from core.notifications.tasks import look_for_mail
from core.notifications.unsubscribe import unsubscribe
from core.registry import notification_kinds
from core.testing import in_parallel
from core.tests.smtp import TAKE, Reply, SmtpServer
from core.tests.telling import KINDS, MailCase
from users.models import User
from users.tests.factories import make_user

State = Delivery.State


class SendTests(MailCase):
    def test_everybody_gets_one_mail_of_their_own(self) -> None:
        people = [make_user() for _ in range(45)]
        self.tell(*people)
        self.send_all()

        self.assertEqual(sorted(taken.to for taken in self.server.taken), sorted(one.email for one in people))
        for taken in self.server.taken:
            self.assertEqual(
                (taken.message["To"], taken.message["Cc"], taken.message["Bcc"]), (taken.to, None, None)
            )
        self.assertEqual(Delivery.objects.by_state(), {"sent": 45})
        self.assertEqual(self.server.connections, 3)  # one a batch

    def test_what_was_sent_is_written_down(self) -> None:
        ada = make_user()
        self.tell(ada)
        self.send_all()

        delivery = self.delivery(ada)
        self.assertEqual((delivery.state, delivery.attempts, delivery.due_at), ("sent", 1, None))
        self.assertEqual(delivery.message_id, self.taken_of(ada)[0].id)
        self.assertIsNotNone(delivery.sent_at)

    def test_it_can_be_unsubscribed_from_at_one_click(self) -> None:
        """RFC 8058."""
        ada = make_user()
        self.tell(ada)
        self.tell(ada, kind="must")
        self.send_all()

        optional, mandatory = sorted(
            (one.message for one in self.taken_of(ada)), key=lambda one: one["List-Unsubscribe"] is None
        )
        self.assertEqual(optional["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        self.assertRegex(
            optional["List-Unsubscribe"].strip(), r"^<http.*/api/notifications/unsubscribe/[^/]+/>$"
        )
        self.assertIsNone(mandatory["List-Unsubscribe"])

    def test_it_is_in_the_readers_language(self) -> None:
        ada = make_user()
        self.settings_of(ada, language="pt-br")
        self.tell(ada)
        self.send_all()

        self.assertIn(b'"pt-BR"', self.taken_of(ada)[0].content)

    def test_the_urgent_leaves_first(self) -> None:
        ada = make_user()
        self.tell(ada, title="first")
        self.tell(ada, kind="urgent", title="second")
        self.send_all()

        self.assertEqual([one.message["Subject"] for one in self.taken_of(ada)], ["second", "first"])

    def test_a_batch_costs_the_same_queries_a_mail(self) -> None:
        people = [make_user() for _ in range(20)]
        for number in (1, 20):
            self.tell(*people[:number], title=str(number))
            with self.subTest(number), self.assertNumQueries(8 + number):
                send_next_batch()


class ChangedMindTests(MailCase):
    """Much may have changed between the queue and the mailbox."""

    def dropped(self, person: User) -> str:
        self.send_all()
        delivery = self.delivery(person)
        self.assertEqual((delivery.state, self.taken_of(person)), ("dropped", []))
        return delivery.reason

    def test_who_was_suspended_gets_nothing(self) -> None:
        ada = make_user()
        self.tell(ada)
        User.objects.filter(pk=ada.pk).update(status=User.Status.INACTIVE)

        self.assertEqual(self.dropped(ada), "suspended")

    def test_who_unsubscribed_meanwhile_gets_nothing(self) -> None:
        ada = make_user()
        self.tell(ada)
        with patch("core.notifications.unsubscribe.signing.loads", return_value=[ada.pk, "news"]):
            unsubscribe("token")

        self.assertEqual(self.dropped(ada), "not wanted")

    def test_a_mailbox_in_trouble_gets_nothing_until_its_owner_has_another(self) -> None:
        ada = make_user()
        MailTrouble.objects.create(person=ada, address=ada.email.upper(), cause=MailTrouble.Cause.BOUNCED)
        self.tell(ada)
        self.assertEqual(self.dropped(ada), "address bounced")

        User.objects.filter(pk=ada.pk).update(email="ada.new@example.org")
        self.tell(ada, title="Another")
        self.send_all()

        self.assertEqual(len(self.server.to("ada.new@example.org")), 1)

    def test_what_is_not_true_any_more_is_not_sent(self) -> None:
        ada = make_user()
        self.tell(ada, title="untrue")

        self.assertEqual(self.dropped(ada), "not true any more")

    def test_what_is_stale_is_not_sent(self) -> None:
        ada = make_user()
        self.tell(ada, stale_at=timezone.now() + timedelta(minutes=5))
        with time_machine.travel(timezone.now() + timedelta(minutes=6)):
            self.assertEqual(self.dropped(ada), "too late")

    def test_a_kind_that_is_gone_is_not_sent(self) -> None:
        ada = make_user()
        self.tell(ada)
        del notification_kinds.entries["news"]

        self.assertEqual(self.dropped(ada), "unknown kind")


class FaultTests(MailCase):
    def answer(self, person: User, *replies: Reply) -> None:
        """Answer a person's mail so, one reply a try, and take it from then on; others' at once."""
        left = list(replies)

        def reply(address: str) -> Reply:
            if address != person.email or not left:
                return TAKE
            return left[0] if self.server.tried[address] <= len(replies) - len(left) + 1 else TAKE

        self.server.reply = reply

    def test_a_refused_address_has_failed_and_others_have_not(self) -> None:
        refused, ada = make_user(), make_user()
        self.server.reply = lambda address: (
            Reply(rcpt="550 5.1.1 <x@y.z>: no such user") if address == refused.email else TAKE
        )
        self.tell(refused, ada)
        self.send_all()

        delivery = self.delivery(refused)
        self.assertEqual((delivery.state, delivery.reason), ("failed", "recipient refused 550 5.1.1"))
        self.assertEqual((len(self.taken_of(ada)), self.server.tried[refused.email]), (1, 1))

    def test_what_may_pass_is_tried_again_and_holds_up_nobody(self) -> None:
        cases = {
            "recipient refused 451 4.3.0": Reply(rcpt="451 4.3.0 Try later"),
            "refused 452": Reply(data="452 Full"),
            "not reached: SMTPServerDisconnected": Reply(hang_up=True),
            "not reached: SMTPServerDisconnected ": Reply(stall_seconds=1.5),
        }
        for reason, reply in cases.items():
            unlucky, ada = make_user(), make_user()
            with self.subTest(reason):
                self.server.reply = lambda address, reply=reply, who=unlucky: (
                    reply if address == who.email else TAKE
                )  # type: ignore[misc]
                self.tell(unlucky, ada, title=reason)
                self.send_all()
                delivery = self.delivery(unlucky)
                self.assertEqual(
                    (delivery.state, delivery.reason, delivery.attempts), ("queued", reason.strip(), 1)
                )
                self.assertEqual(len(self.taken_of(ada)), 1)

                self.server.reply = lambda _: TAKE
                with time_machine.travel(timezone.now() + timedelta(seconds=4)):
                    self.send_all()
                self.assertEqual((self.delivery(unlucky).state, self.delivery(unlucky).attempts), ("sent", 2))

    def test_a_content_that_is_refused_has_failed(self) -> None:
        ada = make_user()
        self.server.reply = lambda _: Reply(data="554 5.7.1 Spam")
        self.tell(ada)
        self.send_all()

        self.assertEqual(
            (self.delivery(ada).state, self.delivery(ada).reason), ("failed", "refused 554 5.7.1")
        )

    def test_after_four_days_it_is_given_up(self) -> None:
        """RFC 5321 4.5.4.1."""
        ada = make_user()
        self.tell(ada)
        self.server.reply = lambda _: Reply(rcpt="451 Later")
        for days, state in ((3.9, "queued"), (4.1, "failed")):
            with time_machine.travel(timezone.now() + timedelta(days=days)):
                self.send_all()
            self.assertEqual(self.delivery(ada).state, state)

    def test_a_reminder_is_given_up_when_it_would_come_too_late(self) -> None:
        ada = make_user()
        self.tell(ada, stale_at=timezone.now() + timedelta(seconds=1))
        self.server.reply = lambda _: Reply(rcpt="451 Later")
        self.send_all()

        self.assertEqual(self.delivery(ada).state, "failed")

    def test_a_server_that_is_away_costs_no_mail_a_try(self) -> None:
        people = [make_user() for _ in range(3)]
        self.tell(*people)
        self.server.stop()
        self.addCleanup(self.server.start)
        self.assertFalse(send_next_batch())
        self.assertEqual(set(Delivery.objects.values_list("state", "attempts")), {("queued", 0)})

        self.server.start()
        self.send_all()

        self.assertEqual(Delivery.objects.by_state(), {"sent": 3})
        self.server.stop()

    def test_one_that_is_silent_is_let_go_of(self) -> None:
        self.tell(make_user(), make_user())
        self.server.is_silent = True
        self.assertFalse(send_next_batch())
        self.server.is_silent = False
        self.send_all()

        self.assertEqual(Delivery.objects.by_state(), {"sent": 2})

    def test_a_title_cannot_smuggle_in_a_header(self) -> None:
        ada, eve = make_user(), make_user()
        self.tell(ada, title="Hi\nBcc: all@example.org")
        self.tell(eve)
        self.send_all()

        self.assertEqual(
            (self.delivery(ada).state, self.delivery(ada).reason),
            ("failed", "cannot be sent: BadHeaderError"),
        )
        self.assertEqual(len(self.taken_of(eve)), 1)

    def test_a_mail_that_breaks_its_worker_waits_and_holds_up_no_other(self) -> None:
        ada, eve = make_user(), make_user()
        self.tell(ada, title="broken")
        self.tell(eve)
        with self.assertRaises(ZeroDivisionError):
            send_next_batch()
        self.send_all()

        delivery = self.delivery(ada)
        self.assertEqual((delivery.state, delivery.attempts, delivery.reason), ("queued", 1, "fault of ours"))
        self.assertEqual(len(self.taken_of(eve)), 1)


class ClaimTests(MailCase):
    def test_what_one_has_claimed_another_leaves(self) -> None:
        self.tell(*[make_user() for _ in range(25)])

        self.assertEqual([len(claim()), len(claim()), len(claim())], [20, 5, 0])

    def test_what_a_killed_worker_had_claimed_is_due_again(self) -> None:
        self.tell(make_user())
        claim()
        with time_machine.travel(timezone.now() + LEASE - timedelta(seconds=5)):
            self.assertEqual(look_for_mail(), {"due": 0})
        with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=5)):
            self.send_all()

        self.assertEqual(len(self.server.taken), 1)

    def test_a_batch_that_takes_long_leaves_the_rest_to_others(self) -> None:
        self.tell(*[make_user() for _ in range(3)])
        with patch.object(sending, "BATCH_SECONDS", 0):
            send_next_batch()

        self.assertEqual((len(self.server.taken), len(claim())), (0, 3))

    def test_taken_and_killed_before_it_was_written_it_comes_again_under_the_same_id(self) -> None:
        """The one way to get a mail twice: nothing can tell whether the server had taken it."""
        ada = make_user()
        self.tell(ada)
        self.server.reply = lambda _: Reply(hang_up=True, keep=self.server.tried[ada.email] == 1)
        send_next_batch()
        self.server.reply = lambda _: TAKE
        with time_machine.travel(timezone.now() + timedelta(seconds=10)):
            self.send_all()

        first, second = self.taken_of(ada)
        self.assertEqual(first.id, second.id)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    def test_many_workers_send_each_mail_once(self) -> None:
        server = SmtpServer().start()
        self.addCleanup(server.stop)
        people = [make_user() for _ in range(120)]

        def work(_: int) -> Any:
            while send_next_batch():
                pass

        with patch.dict(notification_kinds.entries, KINDS), override_settings(**server.settings):
            self.tell(people)
            self.assertEqual(in_parallel(work, 4), [None] * 4)

        self.assertEqual(sorted(one.to for one in server.taken), sorted(one.email for one in people))

    def tell(self, people: list[User]) -> None:
        notice = Notice.objects.create(kind="news", subject="1", data={"title": "Hello"})
        Delivery.objects.bulk_create(
            Delivery(notice=notice, person=one, state=State.QUEUED, due_at=timezone.now()) for one in people
        )
