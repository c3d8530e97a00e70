"""What the tables of events allow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from events.models import CalendarFeed, Event, EventRegistration
from events.tests.factories import make_event, queue, seat
from users.tests.factories import make_user

START = datetime(2031, 5, 6, 8, tzinfo=UTC)


class EventTests(TestCase):
    def refused(self, **fields: Any) -> None:
        with self.subTest(fields), self.assertRaises(IntegrityError), transaction.atomic():
            make_event(**fields)

    def test_the_fields_of_the_contract_are_enough(self) -> None:
        event = Event.objects.create(
            title="x", date=date(2031, 5, 6), time="18:00", location="y", type="virtual", capacity=5
        )

        self.assertEqual((event.timezone, event.sequence, event.start_at), ("UTC", 0, None))
        self.assertEqual(event.over_at, datetime(2031, 5, 7, tzinfo=UTC))
        self.assertNotEqual(event.uid, make_event().uid)

    def test_a_capacity_is_at_least_one_or_none_at_all(self) -> None:
        for capacity in (0, -5):
            self.refused(capacity=capacity)

        self.assertEqual([make_event(capacity=capacity).capacity for capacity in (1, None)], [1, None])

    def test_an_end_comes_after_a_start(self) -> None:
        self.refused(end_at=START)
        self.refused(start_at=START, end_at=START)
        self.refused(start_at=START, end_at=START - timedelta(hours=1))

        make_event(start_at=START, end_at=START + timedelta(microseconds=1))

    def test_a_zone_has_a_name(self) -> None:
        event = make_event()
        for zone in ("", "AEST", "+10:00", "australia/sydney", "../etc/passwd", "x" * 65):
            event.timezone = zone
            with self.subTest(zone), self.assertRaises(ValidationError):
                event.full_clean()

    def test_events_come_in_the_order_of_the_calendar(self) -> None:
        later = make_event(date=date(2031, 5, 7), time="08:00")
        evening, morning = make_event(time="18:00"), make_event(time="09:00")

        self.assertEqual(list(Event.objects.all()), [morning, evening, later])


class RegistrationTests(TestCase):
    def test_nobody_registers_twice_or_sits_and_waits(self) -> None:
        student, event = make_user(), make_event()
        event.registrations.create(user=student)

        with self.assertRaises(IntegrityError), transaction.atomic():
            event.registrations.create(user=student)
        with self.assertRaises(IntegrityError), transaction.atomic():
            queue(event, student)

    def test_a_registration_made_by_hand_is_a_seat(self) -> None:
        student, other, event = make_user(), make_user(), make_event()
        EventRegistration.objects.create(event=event, user=student)
        queue(event, other)

        self.assertEqual((event.registrations.count(), EventRegistration.objects.count()), (1, 1))
        self.assertEqual((student.registrations.count(), other.registrations.count()), (1, 0))
        self.assertEqual(EventRegistration.waiting.get().user, other)

    def test_who_waits_has_not_attended(self) -> None:
        queue(make_event(), make_user())

        with self.assertRaises(IntegrityError):
            EventRegistration.waiting.update(attended_at=timezone.now())

    def test_a_registration_goes_with_its_person_and_with_its_event(self) -> None:
        student, event = make_user(), make_event()
        seat(event, student, make_user())
        seat(make_event(), student)
        queue(event, make_user())
        queue(make_event(), student)

        student.delete()
        event.delete()

        self.assertFalse(EventRegistration.everything.exists())


class FeedTests(TestCase):
    def test_a_person_has_one_feed_with_a_token_of_its_own(self) -> None:
        student = make_user()
        feeds = [CalendarFeed.objects.create(user=who) for who in (student, make_user())]

        self.assertEqual(len({feed.token for feed in feeds}), 2)
        with self.assertRaises(IntegrityError):
            CalendarFeed.objects.create(user=student)
