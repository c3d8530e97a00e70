"""What the tables of events allow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.utils import timezone

from events.models import CalendarFeed, Event, EventRegistration
from events.models.zones import known_zones
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

    def test_what_each_machine_calls_its_own_is_no_zone(self) -> None:
        self.assertFalse(known_zones() & {"localtime", "posixrules", "Factory"})
        self.assertTrue({"UTC", "Australia/Sydney"} <= known_zones())

    def test_events_come_in_the_order_of_the_calendar(self) -> None:
        later = make_event(date=date(2031, 5, 7), time="08:00")
        evening, morning = make_event(time="18:00"), make_event(time="09:00")

        self.assertEqual(list(Event.objects.all()), [morning, evening, later])


class WrittenOutTests(TestCase):
    """Days and moments may be given as text, as to any model."""

    def check(self, event: Event, over_at: datetime) -> None:
        self.assertEqual(event.over_at, over_at)
        self.assertFalse(event.is_over)
        event.refresh_from_db()
        self.assertEqual(event.over_at, over_at)

    def test_when_it_is_made_changed_or_one_of_many(self) -> None:
        end = datetime(2031, 5, 6, 10, tzinfo=UTC)
        midnight = datetime(2031, 5, 7, tzinfo=UTC)
        texts: tuple[tuple[dict[str, Any], datetime], ...] = (
            ({"date": "2031-05-06"}, midnight),
            ({"date": datetime(2031, 5, 6, 8, tzinfo=UTC)}, midnight),
            ({"date": "2031-05-06", "start_at": "2031-05-06T08:00:00Z"}, midnight),
            ({"date": "2031-05-06", "start_at": "2031-05-06T08:00Z", "end_at": "2031-05-06T10:00Z"}, end),
            # Without a zone it is in UTC, and nobody is warned.
            ({"date": "2031-05-06", "start_at": "2031-05-06 08:00", "end_at": "2031-05-06 10:00"}, end),
        )
        for number, (fields, over_at) in enumerate(texts):
            with self.subTest(fields):
                self.check(make_event(**fields), over_at)
                other = {"time": "x", "location": "y", "type": "virtual", **fields}
                self.check(Event.objects.get_or_create(other, title=str(number))[0], over_at)
                self.check(Event.objects.update_or_create(other, title=str(number))[0], over_at)
                self.check(Event.objects.bulk_create([Event(**other)])[0], over_at)
                event = make_event(date=date(2030, 1, 1))
                for name, value in fields.items():
                    setattr(event, name, value)
                event.save()
                self.check(event, over_at)

    def test_what_is_no_day_is_refused_by_its_column(self) -> None:
        for value, error in (("soon", ValidationError), (None, IntegrityError)):
            with self.subTest(value), self.assertRaises(error), transaction.atomic():
                make_event(date=value)


class FormerReleaseTests(TestCase):
    """While a release rolls out, processes of the one before write on: they know none of the new columns."""

    def inserted(self, day: str) -> Event:
        columns = "title, description, long_description, date, time, location, type, register_link"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO events_event ({columns}, created_at, updated_at) "  # noqa: S608 - a constant
                "VALUES (%s, '', '', %s, '18:00', 'x', 'virtual', '', %s, %s)",
                [day, day, "2030-01-01 00:00:00", "2030-01-01 00:00:00"],
            )
        return Event.objects.get(title=day)

    def test_their_events_are_whole(self) -> None:
        event, other = self.inserted("2031-05-06"), self.inserted("2031-05-07")

        self.assertEqual((event.timezone, event.sequence, event.over_at), ("UTC", 0, None))
        self.assertNotEqual(event.uid, other.uid)
        event.save()
        self.assertEqual(event.over_at, datetime(2031, 5, 7, tzinfo=UTC))

    def test_they_are_over_with_their_day(self) -> None:
        today = timezone.now().date()
        days = {day: self.inserted(str(today + timedelta(days=day))) for day in (-1, 0, 1)}

        ahead = set(Event.objects.upcoming())

        self.assertEqual(ahead, {days[0], days[1]})
        self.assertEqual({event for event in days.values() if not event.is_over}, ahead)


class MigrationTests(TestCase):
    migration = import_module("events.migrations.0004_tidy_what_was_there")

    def test_a_link_that_is_no_web_address_goes(self) -> None:
        links = ("", "ftp://x.example/", "http://x.example/", "HTTPS://x.example/")
        events = [make_event(register_link=link) for link in links]

        self.migration.drop_other_links(apps, None)

        for event in events:
            event.refresh_from_db()
        self.assertEqual(
            [event.register_link for event in events], ["", "", "http://x.example/", "HTTPS://x.example/"]
        )

    def test_on_the_way_back_nobody_who_waits_gets_a_seat(self) -> None:
        event, comes = make_event(), make_user()
        seat(event, comes)
        queue(event, make_user())

        self.migration.drop_waiting(apps, None)

        self.assertEqual(EventRegistration.everything.get().user, comes)


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
