"""What the tables of events allow."""

from datetime import date

from django.db import IntegrityError, transaction
from django.test import TestCase

from events.models import Event, EventRegistration
from events.tests.factories import make_event
from users.tests.factories import make_user


class EventTests(TestCase):
    def test_a_capacity_is_at_least_one_or_none_at_all(self) -> None:
        for capacity in (0, -5):
            with self.subTest(capacity=capacity), self.assertRaises(IntegrityError), transaction.atomic():
                make_event(capacity=capacity)

        self.assertEqual([make_event(capacity=capacity).capacity for capacity in (1, None)], [1, None])

    def test_events_come_in_the_order_of_the_calendar(self) -> None:
        later = make_event(date=date(2031, 5, 7), time="08:00")
        evening, morning = make_event(time="18:00"), make_event(time="09:00")

        self.assertEqual(list(Event.objects.all()), [morning, evening, later])


class RegistrationTests(TestCase):
    def test_nobody_registers_twice(self) -> None:
        student, event = make_user(), make_event()
        event.registrations.create(user=student)

        with self.assertRaises(IntegrityError):
            event.registrations.create(user=student)

    def test_a_registration_goes_with_its_person_and_with_its_event(self) -> None:
        student, event = make_user(), make_event()
        event.registrations.create(user=student)
        make_event().registrations.create(user=student)
        event.registrations.create(user=make_user())

        student.delete()
        event.delete()

        self.assertFalse(EventRegistration.objects.exists())
