"""Reminders: once for each start, whatever stood still, was moved, or ran twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import TestCase, TransactionTestCase, tag
from django.utils import timezone

from core.models import Delivery, Notice, NotificationChoice, NotificationSettings
from core.notifications.tasks import look_for_mail
from core.periodic import jobs
from core.testing import count_rows_anew, in_parallel, plan_of
from events.models import Event
from events.services.reminders import near, remind, remind_of
from events.tasks import remind_of_events
from events.tests.factories import make_event, queue, seat
from events.tests.mails import EventMailCase, entry_of
from events.tests.test_event_queries import sql_of
from users.models import User
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

START: Final = datetime(2031, 5, 6, 8, tzinfo=UTC)
LONG: Final = "Reminder: Symposium"
SHORT: Final = "Begins soon: Symposium"


def before(*, of: datetime = START, **span: float) -> Any:
    """Stop the clock so long before a start."""
    return time_machine.travel(of - timedelta(**span), tick=False)


class ReminderCase(EventMailCase):
    def setUp(self) -> None:
        super().setUp()
        with before(days=30):
            self.event = make_event(start_at=START, end_at=START + timedelta(hours=2), capacity=1)
            seat(self.event, self.ada)
            queue(self.event, self.bob)

    def run_job(self) -> list[tuple[str, str]]:
        return self.told(self.done(remind_of_events))

    def minutes(self, since: float, until: float, *, step: float = 20) -> Iterator[list[tuple[str, str]]]:
        """Run the job again and again; hours before the start."""
        left = timedelta(hours=since)
        while left >= timedelta(hours=until):
            with time_machine.travel(START - left, tick=False):
                yield self.run_job()
            left -= timedelta(minutes=step)

    def mails(self, since: float, until: float, **more: float) -> list[tuple[str, str]]:
        return [pair for told in self.minutes(since, until, **more) for pair in told]


class DueTests(ReminderCase):
    def test_a_day_and_an_hour_before_whoever_has_a_seat_is_told_once(self) -> None:
        self.assertEqual(self.mails(26, -3), [(self.ada.email, LONG), (self.ada.email, SHORT)])

    def test_each_comes_at_its_moment(self) -> None:
        moments: Any = ((24, 1, []), (24, 0, [LONG]), (1, 1, []), (1, 0, [SHORT]), (0, 0, []))
        for hours, minutes, expected in moments:
            with self.subTest(hours=hours, minutes=minutes), before(hours=hours, minutes=minutes):
                self.assertEqual([subject for _, subject in self.run_job()], expected)

    def test_it_invites_with_the_number_that_the_event_has(self) -> None:
        with before(days=2):
            self.change(self.event, description="A typo less")
        with before(hours=20):
            [message] = self.done(remind_of_events)

        entry = entry_of(message)
        self.assertEqual((entry["method"], entry["sequence"], entry["start"]), ("REQUEST", 1, START))
        self.assertIn("When: Tuesday, 6 May 2031, 08:00 (UTC)", message.body)

    def test_who_comes_later_is_told_by_the_next_one(self) -> None:
        with before(hours=24):
            self.run_job()
        with before(hours=20):
            seat(self.event, self.cleo)

        self.assertEqual(self.mails(19, 1.5), [])
        self.assertEqual(set(self.mails(1, 0)), {(self.ada.email, SHORT), (self.cleo.email, SHORT)})

    def test_also_where_nobody_had_a_seat_yet(self) -> None:
        with before(days=3):
            empty = make_event(start_at=START, title="Evening")
        self.mails(24, 23)
        with before(hours=20):
            seat(empty, self.cleo)

        self.assertEqual(self.mails(19, 1.5), [])
        self.assertIn((self.cleo.email, "Begins soon: Evening"), self.mails(1, 0))

    def test_who_has_given_up_or_is_suspended_is_not_reminded(self) -> None:
        with before(days=2):
            seat(self.event, self.cleo, self.dan)
            User.objects.filter(pk=self.cleo.pk).update(status=User.Status.INACTIVE)
        with before(hours=20):
            send = self.later(remind_of_events)
            self.unregister(self.dan, self.event)
            messages = send()

        self.assertEqual(self.told(messages), [(self.ada.email, LONG)])

    def test_it_leaves_before_other_mail_and_knows_no_daily_one(self) -> None:
        NotificationChoice.objects.create(person=self.ada, kind="event_reminder", pace="daily")
        with before(hours=20):
            self.assertEqual(self.run_job(), [(self.ada.email, LONG)])
        self.assertEqual(Delivery.objects.get().priority, 10)

    def test_quiet_hours_are_kept_and_no_reminder_comes_too_late(self) -> None:
        NotificationSettings.objects.create(person=self.ada, quiet_from="06:30", quiet_until="08:30")

        self.assertEqual(self.mails(26, 23.7), [])
        with before(hours=23, minutes=30):
            self.assertEqual(self.told(self.done(look_for_mail)), [(self.ada.email, LONG)])
        self.assertEqual(self.mails(2, 0), [])
        with before(minutes=-30):
            self.assertEqual(self.done(look_for_mail), [])


class OutageTests(ReminderCase):
    def test_what_an_outage_kept_is_made_up_for_while_it_helps(self) -> None:
        for back, expected in (
            (23.5, [LONG, SHORT]),
            (2.5, [LONG, SHORT]),
            (2, [SHORT]),  # never both within the hour
            (1.5, [SHORT]),
            (0.2, [SHORT]),
            (-1, []),
        ):
            with self.subTest(hours_left=back):
                Notice.objects.all().delete()
                told = self.mails(back, 3) + self.mails(min(back, 3), -2, step=4)
                self.assertEqual([subject for _, subject in told], expected)

    def test_a_mail_server_that_was_away_brings_no_long_one_with_the_short_one(self) -> None:
        with before(hours=24):
            send = self.later(remind_of_events)
        with before(hours=1, minutes=30):
            self.assertEqual(send(), [])
        self.assertEqual(Delivery.objects.get().state, "none")

    def test_two_outages_in_a_row_remind_once(self) -> None:
        for hours in (20, 19, 3):
            with before(hours=hours):
                self.run_job()

        self.assertEqual(self.told(mail.outbox), [(self.ada.email, LONG)])


class MoveTests(ReminderCase):
    def move(self, start: datetime) -> None:
        self.change(self.event, startAt=start.isoformat(), endAt=None)

    def reminders(self) -> list[str]:
        return [message.subject for message in mail.outbox if message.subject in {LONG, SHORT}]

    def test_another_start_is_another_reminder(self) -> None:
        later = START + timedelta(days=3)
        with before(hours=23):
            self.run_job()
            self.move(later)
        for hours in (23, 0.9):
            with before(hours=hours):
                self.run_job()
        self.assertEqual(self.reminders(), [LONG])

        for hours in (23, 22, 1, 0.5):
            with before(of=later, hours=hours):
                self.run_job()
        self.assertEqual(self.reminders(), [LONG, LONG, SHORT])

    def test_a_start_that_was_reminded_of_is_not_reminded_of_again(self) -> None:
        with before(hours=23):
            self.run_job()
            self.move(START + timedelta(days=3))
            self.run_job()
            self.move(START)
            self.run_job()
            self.move(START + timedelta(milliseconds=300))
            self.run_job()

        self.assertEqual(self.reminders(), [LONG])

    def test_a_start_that_comes_nearer_is_reminded_of_at_once(self) -> None:
        with before(hours=23):
            self.run_job()
            self.move(START - timedelta(hours=3))
            self.run_job()
            self.run_job()

        self.assertEqual(self.reminders(), [LONG, LONG])

    def test_a_mail_that_was_on_its_way_when_the_event_was_moved_does_not_leave(self) -> None:
        with before(hours=23):
            send = self.later(remind_of_events)
            self.move(START + timedelta(days=1))
            self.assertEqual(send(), [])
        self.assertEqual(Delivery.objects.get(notice__kind="event_reminder").state, "dropped")

    def test_another_name_of_the_zone_keeps_the_mail_that_was_on_its_way(self) -> None:
        with before(hours=23):
            send = self.later(remind_of_events)
            self.change(self.event, timezone="Australia/Brisbane")
            self.assertEqual(self.told(send()), [(self.ada.email, LONG)])
            self.assertEqual(self.run_job(), [])

    def test_what_was_dropped_while_it_stood_elsewhere_leaves_once_it_is_moved_back(self) -> None:
        with before(hours=23):
            send = self.later(remind_of_events)
            self.move(START + timedelta(days=3))
            self.assertEqual(send(), [])
            self.move(START)
        for hours in (22.9, 22.8, 22):
            with before(hours=hours):
                self.run_job()

        self.assertEqual(self.reminders(), [LONG])

    def test_who_has_given_up_meanwhile_is_left_alone_then(self) -> None:
        with before(days=2):
            seat(self.event, self.cleo, self.dan)
        with before(hours=23):
            send = self.later(remind_of_events)
            self.move(START + timedelta(days=3))
            send()
            self.unregister(self.dan, self.event)
            self.unregister(self.cleo, self.event)
            self.move(START)
        with before(hours=22.5):
            seat(self.event, self.cleo)  # who has just been told when it begins
        with before(hours=22):
            messages = self.done(remind_of_events)
            self.later(remind_of_events)  # nor are they queued only to be dropped, each minute

        self.assertEqual(self.told(messages), [(self.ada.email, LONG)])
        rows = Delivery.objects.filter(notice__kind="event_reminder", state="dropped")
        self.assertEqual(set(rows.values_list("person", flat=True)), {self.cleo.pk, self.dan.pk})

    def test_it_keeps_quiet_hours_then_and_comes_not_too_late(self) -> None:
        with before(hours=23):
            send = self.later(remind_of_events)
            self.move(START + timedelta(days=3))
            send()
            self.move(START)
        NotificationSettings.objects.create(person=self.ada, quiet_from="06:30", quiet_until="10:30")
        with before(hours=22.5):
            self.assertEqual(self.run_job(), [])
        with before(hours=21.5):
            self.assertEqual(self.told(self.done(look_for_mail)), [(self.ada.email, LONG)])

    def test_another_place_is_told_by_the_mail_that_was_on_its_way(self) -> None:
        with before(hours=23):
            send = self.later(remind_of_events)
            self.change(self.event, location="Perth")
            [message] = send()
        self.assertIn("Place: Perth", message.body)

    def test_an_event_that_is_deleted_reminds_nobody(self) -> None:
        with before(hours=23):
            send = self.later(remind_of_events)
            self.delete(self.event)
            self.assertEqual((send(), self.run_job()), ([], []))
            self.assertFalse(remind_of(self.event.pk))


class DayTests(EventMailCase):
    def run_at(self, *moments: str) -> list[str]:
        told = []
        for moment in moments:
            with time_machine.travel(datetime.fromisoformat(moment), tick=False):
                told += [message.to[0] for message in self.done(remind_of_events)]
        return told

    def test_what_takes_the_day_is_reminded_of_at_nine_the_day_before_by_its_clock(self) -> None:
        for zone, offset in (
            ("UTC", "+00:00"),
            ("Pacific/Kiritimati", "+14:00"),
            ("Etc/GMT+12", "-12:00"),
            ("Australia/Brisbane", "+10:00"),
        ):
            with self.subTest(zone):
                event = make_event(timezone=zone)
                seat(event, self.ada)
                early = self.run_at(f"2031-05-05T08:59:00{offset}")
                told = self.run_at(f"2031-05-05T09:00:00{offset}", f"2031-05-05T20:00:00{offset}")
                self.assertEqual((early, told), ([], [self.ada.email]))
                event.delete()

    def test_after_an_outage_until_the_day_begins(self) -> None:
        seat(make_event(), self.ada)
        self.assertEqual(self.run_at("2031-05-05T23:59:00+00:00"), [self.ada.email])

        other = make_event(title="Other")
        seat(other, self.bob)
        self.assertEqual(self.run_at("2031-05-06T00:00:00+00:00"), [])

    def test_another_name_of_the_same_clock_is_no_other_reminder(self) -> None:
        event = make_event(timezone="Australia/Sydney")
        seat(event, self.ada)
        self.run_at("2031-05-05T09:30:00+10:00")
        with time_machine.travel("2031-05-05T10:00:00+10:00", tick=False):
            self.assertEqual(self.done(lambda: self.change(event, timezone="Australia/Melbourne")), [])

        self.assertEqual(self.run_at("2031-05-05T10:30:00+10:00"), [])

    def test_another_day_is_another_reminder(self) -> None:
        event = make_event()
        seat(event, self.ada)
        self.run_at("2031-05-05T10:00:00+00:00")
        Event.objects.filter(pk=event.pk).update(date=date(2031, 5, 8), over_at=None)

        told = self.run_at("2031-05-06T10:00:00+00:00", "2031-05-07T10:00:00+00:00")
        self.assertEqual(told, [self.ada.email])


class CostTests(TestCase):
    def test_what_is_written_already_costs_three_queries_for_any_number_of_events(self) -> None:
        with before(hours=20):
            for count in (1, 20):
                for _ in range(count):
                    make_event(start_at=START)
                remind()
                with self.assertNumQueries(3):
                    self.assertEqual(remind(), 0)

    def test_the_clock_knows_it(self) -> None:
        self.assertEqual(jobs["remind_of_events"], (timedelta(minutes=1), remind_of_events))


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ReminderRaces(TransactionTestCase):
    def test_two_callers_at_once_remind_once(self) -> None:
        cache.clear()
        people = [make_user() for _ in range(5)]
        events = [make_event(start_at=timezone.now() + timedelta(hours=20)) for _ in range(3)]
        for event in events:
            seat(event, *people)

        written = in_parallel(lambda _: remind(), 4)

        self.assertEqual(sum(written), 3)
        self.assertEqual(Notice.objects.count(), 3)
        self.assertEqual((Delivery.objects.filter(state="sent").count(), len(mail.outbox)), (15, 15))


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "The plans are PostgreSQL's.")
class ReminderPlanTests(TestCase):
    def test_what_is_near_is_found_by_indexes(self) -> None:
        Event.objects.bulk_create(
            Event(
                title=f"Evening {n}",
                date=date(2020, 1, 1) + timedelta(days=n % 4000),
                time="18:00",
                location="Hall",
                type=Event.Type.VIRTUAL,
                start_at=None if n % 2 else datetime(2020, 1, 1, 18, tzinfo=UTC) + timedelta(days=n % 4000),
            )
            for n in range(20_000)
        )
        count_rows_anew(Event)

        plan = plan_of(sql_of(near(datetime(2030, 1, 1, 12, tzinfo=UTC))))

        self.assertIn("event_by_start", plan)
        self.assertNotIn("Seq Scan", plan)
