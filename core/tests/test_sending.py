"""The mail of deliveries against a real SMTP server that takes, refuses, hangs up, stalls, or is away."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.db import OperationalError, connection
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from core.models import Delivery, MailTrouble, Notice
from core.notifications import claims, sending
from core.notifications.claims import LEASE, Claim, claim_batch
from core.notifications.sending import send_next_batch
from core.notifications.tasks import SEND_SECONDS, look_for_mail
from core.notifications.unsubscribe import unsubscribe
from core.registry import notification_kinds
from core.testing import in_parallel
from core.tests.smtp import TAKE, Reply, SmtpServer
from core.tests.telling import KINDS, MailCase
from users.models import User
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Callable

State = Delivery.State


class SendTests(MailCase):
    def test_everybody_gets_one_mail_of_their_own(self) -> None:
        people = [make_user() for _ in range(11)]
        self.tell(*people)
        with patch.object(claims, "BATCH", 5):
            self.send_all()

        self.assertEqual(sorted(taken.to for taken in self.server.taken), sorted(one.email for one in people))
        for taken in self.server.taken:
            self.assertEqual(
                (taken.message["To"], taken.message["Cc"], taken.message["Bcc"]), (taken.to, None, None)
            )
        self.assertEqual(Delivery.objects.by_state(), {"sent": 11})
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
        people = [make_user() for _ in range(8)]
        for number in (1, 8):
            self.tell(*people[:number], title=str(number))
            with self.subTest(number), self.assertNumQueries(4 + 6 * number):
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

    def test_a_kind_that_this_worker_does_not_know_waits_for_another(self) -> None:
        ada = make_user()
        self.tell(ada)
        del notification_kinds.entries["news"]
        self.send_all()

        delivery = self.delivery(ada)
        self.assertEqual((delivery.state, delivery.reason), ("queued", "unknown kind"))
        self.assertEqual(self.taken_of(ada), [])


class MeanwhileTests(MailCase):
    """Between the claim of a batch and a mail of it there may be minutes."""

    def while_sending(self, first: User, change: Callable[[], object]) -> None:
        """Change something while the first mail of a batch is taken."""

        def reply(address: str) -> Reply:
            if address == first.email and self.server.tried[address] <= 1:
                self.changes.append(change)
            return TAKE

        self.changes: list[Callable[[], object]] = []
        self.server.reply = reply
        settle = Claim.settle

        def then_change(claim: Claim, **values: Any) -> None:
            settle(claim, **values)
            while self.changes:
                self.changes.pop()()

        with patch.object(Claim, "settle", then_change):
            self.send_all()

    def test_the_mail_follows_who_the_person_is_by_now(self) -> None:
        ada, moved, suspended, erased = (make_user() for _ in range(4))
        self.tell(ada, moved, suspended, erased)

        def change() -> None:
            User.objects.filter(pk=moved.pk).update(email="new@example.org")
            User.objects.filter(pk=suspended.pk).update(status=User.Status.INACTIVE)
            User.objects.filter(pk=erased.pk).delete()

        self.while_sending(ada, change)

        self.assertEqual([one.to for one in self.server.taken], [ada.email, "new@example.org"])

    def test_a_worker_that_was_held_up_leaves_to_others_what_they_have_claimed(self) -> None:
        people = [make_user() for _ in range(5)]
        self.tell(*people)
        others: list[Claim] = []

        def lose_the_claims() -> None:
            with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
                others.extend(claim_batch())

        self.while_sending(people[0], lose_the_claims)

        self.assertEqual(([one.to for one in self.server.taken], len(others)), ([people[0].email], 4))
        self.assertEqual(len(claim_batch()), 0)

    def test_what_has_left_is_not_tried_again_because_that_could_not_be_written(self) -> None:
        ada = make_user()
        self.tell(ada)
        with (
            patch.object(Claim, "write", side_effect=OperationalError),
            self.assertRaises(OperationalError),
        ):
            send_next_batch()
        with time_machine.travel(timezone.now() + timedelta(minutes=2)):
            self.send_all()

        self.assertEqual(len(self.taken_of(ada)), 1)

    def test_who_has_gone_to_bed_gets_it_in_the_morning(self) -> None:
        ada = make_user()
        with time_machine.travel("2026-11-26T20:59:50+00:00"):
            self.tell(ada)
            self.settings_of(ada, quiet_from=time(21), quiet_until=time(7))
        with time_machine.travel("2026-11-26T21:30:00+00:00"):
            self.send_all()

        self.assertEqual((self.delivery(ada).state, self.taken_of(ada)), ("queued", []))
        self.assertEqual(str(self.delivery(ada).due_at), "2026-11-27 07:00:00+00:00")

    def test_who_has_chosen_the_daily_mail_meanwhile_gets_it_with_that(self) -> None:
        ada = make_user()
        self.tell(ada)
        self.wish(ada, news="daily")
        self.send_all()

        self.assertEqual((self.delivery(ada).state, self.delivery(ada).due_at), ("waiting", None))


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

    def test_an_address_that_no_header_takes_holds_up_nobody(self) -> None:
        ada, eve = make_user(email='"a\\"b"@example.org'), make_user()
        self.tell(ada, eve)
        self.send_all()

        self.assertEqual(self.delivery(ada).reason, "cannot be sent: BadHeaderError")
        self.assertEqual((self.delivery(ada).state, len(self.taken_of(eve))), ("failed", 1))

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
        with self.assertLogs("core.notifications.sending", "ERROR") as logs:
            self.send_all()

        delivery = self.delivery(ada)
        self.assertEqual((delivery.state, delivery.attempts, delivery.reason), ("queued", 1, "fault of ours"))
        self.assertIn("late_words", vars(logs.records[0])["where"])
        self.assertEqual(len(self.taken_of(eve)), 1)


class ClaimTests(MailCase):
    def test_what_one_has_claimed_another_leaves(self) -> None:
        self.tell(*[make_user() for _ in range(7)])

        with patch.object(claims, "BATCH", 5):
            self.assertEqual([len(claim_batch()), len(claim_batch()), len(claim_batch())], [5, 2, 0])

    def test_what_a_killed_worker_had_claimed_is_due_again(self) -> None:
        self.tell(make_user())
        claim_batch()
        with time_machine.travel(timezone.now() + LEASE - timedelta(seconds=5)):
            self.assertEqual(look_for_mail(), {"due": 0})
        with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=5)):
            self.send_all()

        self.assertEqual(len(self.server.taken), 1)

    def test_the_clock_has_due_mail_sent_unless_that_waits_already(self) -> None:
        self.tell(make_user())
        with (
            patch("core.notifications.tasks.enqueue") as enqueue,
            patch("core.notifications.tasks.is_waiting", side_effect=[False, True]),
        ):
            look_for_mail()
            look_for_mail()

        enqueue.assert_called_once_with("core.notifications.tasks.send_mail")

    def test_a_turn_ends_before_its_claims_do(self) -> None:
        self.assertLess(SEND_SECONDS, LEASE.total_seconds())

    def test_the_urgent_is_claimed_before_what_has_waited_longer(self) -> None:
        self.tell(*[make_user() for _ in range(3)])
        urgent = make_user()
        self.tell(urgent, kind="urgent", title="urgent")

        with patch.object(claims, "BATCH", 2):
            self.assertEqual(claim_batch()[0].delivery, self.delivery(urgent).pk)

    def test_what_kills_its_workers_is_given_up_in_the_end(self) -> None:
        ada = make_user()
        self.tell(ada)
        claim_batch()[0].renewed()
        with time_machine.travel(timezone.now() + timedelta(days=5)):
            self.send_all()

        self.assertEqual((self.delivery(ada).state, self.delivery(ada).reason), ("failed", "given up"))

    def test_a_batch_that_takes_long_leaves_the_rest_to_others(self) -> None:
        self.tell(*[make_user() for _ in range(3)])
        with patch.object(sending, "BATCH_SECONDS", 0):
            send_next_batch()

        self.assertEqual((len(self.server.taken), len(claim_batch())), (0, 3))

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
        people = [make_user() for _ in range(48)]

        def work(_: int) -> Any:
            while send_next_batch():
                pass

        kinds, batches = patch.dict(notification_kinds.entries, KINDS), patch.object(claims, "BATCH", 8)
        with kinds, batches, override_settings(**server.settings):
            self.tell(people)
            self.assertEqual(in_parallel(work, 4), [None] * 4)

        self.assertEqual(sorted(one.to for one in server.taken), sorted(one.email for one in people))

    def tell(self, people: list[User]) -> None:
        notice = Notice.objects.create(kind="news", subject="1", data={"title": "Hello"})
        Delivery.objects.bulk_create(
            Delivery(notice=notice, person=one, state=State.QUEUED, due_at=timezone.now()) for one in people
        )
