"""Many events at once, odd ones among them, and what is told late or once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import AuditEvent, Delivery, MailTrouble
from core.notifications.troubles import BATCH, in_trouble, lift, lift_bounce
from core.tests.webhooks import ADDRESS, JOINED, MAILJET, MOMENT, WebhookCase, mailjet
from users.models import User
from users.tests.factories import make_user


class BatchTests(WebhookCase):
    def people(self, count: int, *, name: str) -> list[User]:
        rows = (
            User(email=f"{name}{n}@example.org", username=f"{name}{n}", date_joined=JOINED)
            for n in range(count)
        )
        people: list[User] = User.objects.bulk_create(rows)
        return people

    def queries_of(self, events: list[Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(self.post_again(MAILJET, events), 200)
        return len(queries)

    def test_a_batch_costs_the_same_however_many_it_tells_of(self) -> None:
        self.post(MAILJET, [])
        costs = []
        for count in (2, 100):
            people = self.people(count, name=f"p{count}x")
            for number, person in enumerate(people, start=count * 1_000):
                self.delivered(str(number), person)
            events = [
                mailjet(person.email, MessageID=number)
                for number, person in enumerate(people, start=count * 1_000)
            ]
            costs.append(self.queries_of(events))
            self.assertEqual(len(in_trouble([person.pk for person in people])), count)

            again = self.queries_of(events)
            self.assertLess(again, costs[-1])

        self.assertEqual(costs[0], costs[1])
        self.assertLessEqual(costs[0], 12)
        self.assertEqual(Delivery.objects.filter(state="complained").count(), 102)
        self.assertEqual(AuditEvent.objects.filter(action="mail_suppressed").count(), 102)

    def test_a_very_large_one_is_taken_in_parts(self) -> None:
        self.post(MAILJET, [])
        with patch("core.notifications.troubles.BATCH", 2):
            self.post_again(MAILJET, [mailjet("nobody@example.org")] * 4 + [mailjet()])

        self.assertEqual([cause for _, cause, _ in self.troubles()], ["complained"])
        self.assertEqual(BATCH, 1_000)

    def test_an_odd_event_holds_up_no_other(self) -> None:
        for odd in (
            mailjet("\ud800@example.org"),
            mailjet(7),
            mailjet(["ada@example.org"]),
            mailjet({"a": 1}),
            mailjet(None),
            mailjet("a\0b@example.org"),
            mailjet(event="bounce", hard_bounce=[]),
            mailjet(event="bounce", hard_bounce={}),
            mailjet(MessageID=["x"]),
            mailjet(MessageID="\ud800"),
            mailjet(MessageID="x\0"),
            mailjet(time="soon"),
            mailjet(time=1e300),
            {**mailjet(), "event": {}},
            {},
            "x",
            None,
            7,
        ):
            with self.subTest(str(odd)):
                MailTrouble.objects.all().delete()
                other = make_user(date_joined=JOINED)
                self.assertEqual(
                    self.post(MAILJET, [mailjet("x@example.org"), odd, mailjet(other.email)]), 200
                )
                self.assertIn(other.pk, in_trouble([other.pk]))

    def test_however_many_are_odd_that_is_said_once(self) -> None:
        with self.assertLogs("core.inbox.webhooks") as logs:
            self.assertEqual(self.post(MAILJET, [mailjet(time="soon")] * 50), 200)

        self.assertEqual(len(logs.records), 1)
        self.assertNotIn(ADDRESS, str(vars(logs.records[0])))

    def test_a_complaint_counts_more_in_whichever_order_they_come(self) -> None:
        delivery = self.delivered("5")
        both = [mailjet(MessageID=5), mailjet(event="bounce", MessageID=5)]
        for events in (both, both[::-1]):
            with self.subTest(str(events)):
                MailTrouble.objects.all().delete()
                Delivery.objects.update(state="sent")
                self.post(MAILJET, events)
                self.assertEqual([cause for _, cause, _ in self.troubles()], ["complained"])
                delivery.refresh_from_db()
                self.assertEqual(delivery.state, "complained")

    def test_a_service_that_numbers_its_mails_is_understood(self) -> None:
        """Postal gives numbers, Mailjet too."""
        delivery = self.delivered("19421777835146490")

        self.post(MAILJET, [mailjet(MessageID=19421777835146490)])

        delivery.refresh_from_db()
        self.assertEqual(delivery.state, "complained")


class ToldAgainTests(WebhookCase):
    def tell(self, cause: str = "spam", *, at: Any = MOMENT, **more: Any) -> None:
        event = mailjet(event=cause, **more)
        event |= {"time": at.timestamp()} if at else {}
        if at is None:
            del event["time"]
        self.assertEqual(self.post(MAILJET, [event]), 200)

    def lift(self, at: Any) -> None:
        with patch("django.utils.timezone.now", return_value=at):
            self.assertTrue(lift(self.user, by=self.user))

    def test_what_happened_before_it_was_lifted_ends_nothing_again(self) -> None:
        self.tell()
        self.lift(MOMENT + timedelta(hours=1))

        for before in (JOINED, MOMENT, MOMENT + timedelta(minutes=59)):
            self.tell(at=before)
            self.assertEqual(self.troubles(), [])
        self.tell("bounce", at=MOMENT + timedelta(hours=2))

        self.assertEqual([cause for _, cause, _ in self.troubles()], ["bounced"])
        self.assertEqual(MailTrouble.objects.count(), 1)

    def test_a_sign_in_lifts_a_bounce_for_good_and_no_complaint(self) -> None:
        for cause, left in (("bounce", 0), ("spam", 1)):
            with self.subTest(cause):
                MailTrouble.objects.all().delete()
                self.tell(cause)
                lift_bounce(self.user)
                self.tell(cause)
                self.assertEqual(len(self.troubles()), left)

    def test_what_happened_before_there_was_the_account_ends_nothing(self) -> None:
        self.tell(at=JOINED - timedelta(seconds=1))

        self.assertEqual(self.troubles(), [])

    def test_what_says_no_time_is_believed(self) -> None:
        self.tell()
        self.lift(timezone.now())
        self.tell(at=None)

        self.assertEqual(len(self.troubles()), 1)

    def test_a_late_word_of_a_former_address_marks_its_mail_and_not_its_new_owner(self) -> None:
        delivery = self.delivered("5")
        User.objects.filter(pk=self.user.pk).update(email="moved@example.org")
        owner = make_user(email=ADDRESS, username="another", date_joined=JOINED)

        self.tell(MessageID=5)

        delivery.refresh_from_db()
        self.assertEqual(delivery.state, "complained")
        self.assertEqual(in_trouble([self.user.pk, owner.pk]), {})
