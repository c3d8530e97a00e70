"""When mail about events and seats leaves, and how much of it: quiet hours, wrong years, to and fro."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase, tag

from core.models import Delivery, Notice, NotificationChoice, NotificationSettings
from core.notifications.inbox import inbox_of
from core.notifications.kinds import kind_of
from core.notifications.tasks import look_for_mail
from core.testing import in_parallel
from events.services.seats import give_up_seat, take_seat
from events.services.telling import MAILS_AN_HOUR
from events.tests.factories import make_event, queue, seat
from events.tests.mails import EventMailCase, entry_of, file_of
from users.tests.factories import make_user

if TYPE_CHECKING:
    from events.models import Event

START: Final = datetime(2031, 5, 6, 8, tzinfo=UTC)
NIGHT: Final = "2031-05-05T22:00:00+00:00"
CANCELLED: Final = "Cancelled: Symposium"


def at(moment: str | datetime) -> Any:
    """Stop the clock at a moment."""
    return time_machine.travel(moment, tick=False)


class QuietHoursTests(EventMailCase):
    def setUp(self) -> None:
        super().setUp()
        self.wishes = NotificationSettings.objects.create(
            person=self.ada, quiet_from=time(21), quiet_until=time(9)
        )
        with at("2031-05-01T12:00:00+00:00"):
            self.event = make_event(start_at=START, end_at=START + timedelta(minutes=45), capacity=1)
            seat(self.event, self.ada)

    def quiet_until(self, hour: int, minute: int = 0) -> None:
        self.wishes.quiet_until = time(hour, minute)
        self.wishes.save()

    @time_machine.travel(NIGHT, tick=False)
    def test_a_cancellation_that_quiet_hours_would_bring_after_the_start_leaves_at_once(self) -> None:
        messages = self.done(lambda: self.delete(self.event))

        self.assertEqual(self.told(messages), [(self.ada.email, CANCELLED)])

    @time_machine.travel(NIGHT, tick=False)
    def test_also_where_it_would_come_before_the_end(self) -> None:
        self.quiet_until(8, 15)

        messages = self.done(lambda: self.delete(self.event))

        self.assertEqual(self.told(messages), [(self.ada.email, CANCELLED)])

    def test_what_comes_in_time_waits_for_the_morning(self) -> None:
        self.quiet_until(7, 59)
        with at(NIGHT):
            self.assertEqual(self.done(lambda: self.delete(self.event)), [])
        with at("2031-05-06T07:59:00+00:00"):
            self.assertEqual(self.told(self.done(look_for_mail)), [(self.ada.email, CANCELLED)])

    @time_machine.travel(NIGHT, tick=False)
    def test_seats_and_changes_leave_at_once_too(self) -> None:
        [change] = self.done(lambda: self.change(self.event, location="Perth"))
        [given_up] = self.done(lambda: self.unregister(self.ada, self.event))
        [confirmed] = self.done(lambda: self.register(self.ada, self.event))

        self.assertEqual(
            [message.subject for message in (change, given_up, confirmed)],
            ["New place: Symposium", "Seat given up: Symposium", "Your seat: Symposium"],
        )

    @time_machine.travel("2031-05-06T08:15:00+00:00", tick=False)
    def test_what_has_begun_is_told_until_it_ends(self) -> None:
        messages = self.done(lambda: self.delete(self.event))

        self.assertEqual(self.told(messages), [(self.ada.email, CANCELLED)])

    def test_what_takes_the_day_is_told_until_the_day_ends(self) -> None:
        with at("2031-05-01T12:00:00+00:00"):
            day = make_event(date=date(2031, 5, 6))
            seat(day, self.ada)
        with at(NIGHT):
            self.assertEqual(self.done(lambda: self.delete(day)), [])
        with at("2031-05-06T09:00:00+00:00"):
            self.assertEqual(self.told(self.done(look_for_mail)), [(self.ada.email, CANCELLED)])

    def test_after_an_outage_it_is_too_late_when_it_has_begun(self) -> None:
        with at("2031-05-05T12:00:00+00:00"):
            send = self.later(lambda: self.delete(self.event))
        with at(START):
            self.assertEqual(send(), [])

    def test_none_of_it_goes_with_the_daily_mail(self) -> None:
        """A line there has neither time nor place, and no file."""
        for name in ("event_seat", "event_change", "event_reminder"):
            kind = kind_of(name)
            assert kind is not None
            self.assertEqual((kind.paces, kind.is_pressing), (("now", "off"), name != "event_reminder"))
        NotificationChoice.objects.create(person=self.bob, kind="event_seat", pace="daily")

        [message] = self.done(lambda: self.register(self.bob, make_event()))

        self.assertEqual(entry_of(message)["method"], "REQUEST")


class WrongYearTests(EventMailCase):
    def setUp(self) -> None:
        super().setUp()
        self.event = make_event(start_at=START, end_at=START + timedelta(hours=2), capacity=1)
        seat(self.event, self.ada)
        queue(self.event, self.bob)

    def move(self, year: int, **more: Any) -> Any:
        start = START.replace(year=year)
        values = {"startAt": start.isoformat(), "endAt": (start + timedelta(hours=2)).isoformat()}
        return self.change(self.event, **values, **more)

    def test_a_wrong_year_is_told_as_its_correction_is(self) -> None:
        wrong = self.done(lambda: self.move(2020))
        right = self.done(lambda: self.move(2031))

        for messages, line in ((wrong, "When: Wednesday, 6 May 2020"), (right, "When: Tuesday, 6 May 2031")):
            self.assertEqual(self.told(messages), self.names("New time: Symposium", self.ada, self.bob))
            self.assertTrue(all(line in message.body for message in messages))
        entries = [entry_of(message) for message in wrong + right if file_of(message)]
        self.assertEqual([entry["start"].year for entry in entries], [2020, 2031])
        self.assertEqual([entry["sequence"] for entry in entries], [1, 2])

    def test_a_wrong_year_that_was_corrected_before_its_mail_left_is_not_told(self) -> None:
        wrong = self.later(lambda: self.move(2020))
        right = self.later(lambda: self.move(2031))

        self.assertEqual((wrong(), len(right())), ([], 2))

    def test_what_is_over_and_stays_so_is_nobodys_news(self) -> None:
        self.done(lambda: self.move(2020))

        self.assertEqual(self.done(lambda: self.move(2021, location="Perth")), [])
        self.assertEqual(self.done(lambda: self.delete(self.event)), [])

    def test_of_an_event_that_is_over_by_now_nothing_else_is_told(self) -> None:
        place = self.later(lambda: self.change(self.event, location="Perth"))
        wrong = self.later(lambda: self.move(2020))

        self.assertEqual((place(), len(wrong())), ([], 2))


class OwnActTests(EventMailCase):
    """Whoever gives their seat up and takes it again, for an hour."""

    def rounds(self, event: Event, number: int, *, last: str) -> list[Any]:
        messages = []
        for act in [self.register, self.unregister] * number:
            messages += self.done(lambda act=act: act(self.ada, event))  # type: ignore[misc]
        if last == "REQUEST":
            messages += self.done(lambda: self.register(self.ada, event))
        return messages

    @tag("walk")
    def test_to_and_fro_is_a_few_mails_and_one_after_the_hour_that_is_right(self) -> None:
        for last in ("CANCEL", "REQUEST"):
            with self.subTest(last):
                event = make_event(start_at=START)
                with at("2031-05-01T12:10:00+00:00"):
                    messages = self.rounds(event, 60, last=last)
                    rows = inbox_of(self.ada).filter(notice__subject__startswith=f"{event.pk} ")
                    self.assertEqual((len(messages), rows.count()), (MAILS_AN_HOUR, MAILS_AN_HOUR + 1))
                with at("2031-05-01T13:00:30+00:00"):
                    self.assertEqual(self.done(look_for_mail), [])
                with at("2031-05-01T13:01:00+00:00"):
                    [message] = self.done(look_for_mail)

                event.refresh_from_db()
                number = event.sequence - (last == "CANCEL")
                entry = entry_of(message)
                self.assertEqual((entry["method"], entry["sequence"]), (last, number))
                self.assertGreater(number, entry_of(messages[-1])["sequence"])

    def test_each_event_each_person_and_each_hour_counts_alone(self) -> None:
        event = make_event(start_at=START)
        with at("2031-05-01T12:10:00+00:00"):
            self.rounds(event, 4, last="CANCEL")
            self.assertEqual(len(self.done(lambda: self.register(self.bob, event))), 1)
            self.assertEqual(len(self.done(lambda: self.register(self.ada, make_event()))), 1)
        with at("2031-05-01T13:00:30+00:00"):
            self.assertEqual(len(self.done(lambda: self.register(self.ada, event))), 1)
        with at("2031-05-01T13:01:00+00:00"):
            self.assertEqual(self.done(look_for_mail), [])  # given up, it would have said

    def test_what_is_left_to_say_is_dropped_where_the_event_is_gone(self) -> None:
        event = make_event(start_at=START)
        with at("2031-05-01T12:10:00+00:00"):
            self.rounds(event, 4, last="REQUEST")
            self.assertEqual(self.told(self.done(lambda: self.delete(event))), [(self.ada.email, CANCELLED)])
        with at("2031-05-01T13:01:00+00:00"):
            self.assertEqual(self.done(look_for_mail), [])


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class OwnActRaces(TransactionTestCase):
    def test_who_clicks_twice_at_once_is_told_of_each_act(self) -> None:
        cache.clear()
        ada, event = make_user(), make_event(capacity=8)
        take_seat(event.pk, by=ada)

        in_parallel(lambda _: give_up_seat(event.pk, by=ada), 4)

        self.assertEqual(len(mail.outbox), 2)
        self.assertEqual((Notice.objects.count(), Delivery.objects.filter(state="sent").count()), (2, 2))
