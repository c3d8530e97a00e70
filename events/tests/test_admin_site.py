"""Events at the admin site: the same rules as over the API."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.urls import reverse

from core.models import AuditEvent
from core.testing import context_of
from events.models import Event
from events.tests.cases import EventCase, seated, waiting
from events.tests.factories import make_event, queue, seat
from users.tests.factories import make_superuser

FORM: dict[str, Any] = {
    "title": "Symposium",
    "description": "",
    "long_description": "",
    "date": "2031-05-06",
    "time": "18:00",
    "start_at_0": "",
    "start_at_1": "",
    "end_at_0": "",
    "end_at_1": "",
    "timezone": "UTC",
    "location": "Brisbane",
    "type": "in-person",
    "register_link": "",
    "capacity": "1",
}


def page(name: str, *args: object) -> str:
    return reverse(f"admin:events_event_{name}", args=args)


class AdminSiteTests(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_superuser())

    def recorded(self) -> list[str]:
        return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))

    def test_an_event_is_made_and_recorded_once(self) -> None:
        response = self.client.post(page("add"), FORM)

        self.assertRedirects(response, page("changelist"))
        event = Event.objects.get()
        self.assertEqual((event.title, event.capacity, event.sequence), ("Symposium", 1, 0))
        self.assertEqual(self.recorded(), ["event_created"])

    def test_more_seats_go_to_who_waits(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)
        queue(event, self.bob, self.cleo)

        self.client.post(page("change", event.pk), {**FORM, "capacity": "2"})

        self.assertEqual((seated(event), waiting(event)), (self.ids(self.ada, self.bob), [self.cleo.pk]))
        self.assertEqual(self.recorded(), ["event_changed", "seats_given"])

    def test_what_is_shown_in_calendars_raises_the_sequence(self) -> None:
        event = make_event(capacity=1)

        self.client.post(page("change", event.pk), {**FORM, "title": "New"})

        event.refresh_from_db()
        self.assertEqual((event.title, event.sequence), ("New", 1))

    def test_times_that_contradict_each_other_are_said_beside_their_field(self) -> None:
        start = {"start_at_0": "2031-05-06", "start_at_1": "18:00"}
        end = {"end_at_0": "2031-05-06", "end_at_1": "17:00"}
        for change, sentence in (
            ({**start, **end}, "The end must be after the start."),
            (end, "An end needs a start."),
            ({**start, "date": "2031-05-07"}, "This is not the day of the start"),
            ({**start, "timezone": "AEST"}, "Send a time zone by its IANA name"),
            ({"capacity": "0"}, "greater than or equal to 1"),
            ({"register_link": "ftp://x.example/"}, "Enter a valid URL"),
        ):
            with self.subTest(sentence):
                response = self.client.post(page("add"), {**FORM, **change})
                self.assertContains(response, sentence)
        self.assertFalse(Event.objects.exists())

    def test_deleting_goes_by_the_rules_too(self) -> None:
        events = [make_event() for _ in range(3)]
        seat(events[0], self.ada)

        self.client.post(page("delete", events[0].pk), {"post": "yes"})
        chosen = [event.pk for event in events[1:]]
        self.client.post(
            page("changelist"), {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        )

        self.assertFalse(Event.objects.exists())
        self.assertEqual(self.recorded(), ["event_deleted"] * 3)

    def test_an_event_that_went_meanwhile_is_a_message(self) -> None:
        response = self.client.get(page("change", 2**40))

        self.assertRedirects(response, reverse("admin:index"))
        self.assertTrue(list(get_messages(response.wsgi_request)))

    def test_lists_tell_of_seats_and_can_be_narrowed(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)
        queue(event, self.bob)

        self.assertContains(self.client.get(page("changelist") + "?over=no"), "1 of 1")
        self.assertNotContains(self.client.get(page("changelist") + "?over=yes"), "1 of 1")
        registrations = reverse("admin:events_eventregistration_changelist")
        for query, count in (("", 2), ("?waiting=yes", 1), ("?waiting=zz", 2)):
            self.assertEqual(context_of(self.client, registrations + query)["cl"].result_count, count)
