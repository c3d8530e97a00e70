"""Start and end at the admin site: read and shown by the event's own clock, as an import reads them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Permission
from django.test import override_settings

from core.testing import undrawn
from events.models import Event
from events.tests.cases import EventCase
from events.tests.factories import make_event
from events.tests.test_admin_site import FORM, page
from users.tests.factories import make_superuser, make_user

SYDNEY = ZoneInfo("Australia/Sydney")
TEN = dt.datetime(2031, 12, 5, 10, tzinfo=SYDNEY)
AT_TEN = {
    "date": "2031-12-05",
    "time": "10:00",
    "timezone": "Australia/Sydney",
    "start_at_0": "2031-12-05",
    "start_at_1": "10:00",
}


class ClockTests(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_superuser())

    def add(self, **sent: Any) -> Any:
        return self.client.post(page("add"), {**FORM, **AT_TEN, **sent})

    def assert_refused_at_start(self, **sent: Any) -> None:
        with undrawn():
            refused = self.add(**sent)
        self.assertIn("start_at", refused.context_data["adminform"].form.errors)

    def kept(self, **fields: Any) -> Event:
        return make_event(
            date=dt.date(2031, 12, 5), time="10:00", timezone="Australia/Sydney", start_at=TEN, **fields
        )

    def change(self, event: Event, **sent: Any) -> Event:
        self.assertEqual(
            self.client.post(page("change", event.pk), {**FORM, **AT_TEN, **sent}).status_code, 302
        )
        event.refresh_from_db()
        return event

    def test_ten_o_clock_is_ten_where_it_takes_place(self) -> None:
        for zone in ("UTC", "America/Bahia"):
            with self.subTest(programme=zone), self.settings(PROGRAMME_TIME_ZONE=zone):
                self.add()
                self.assertEqual(Event.objects.latest("pk").start_at, TEN)

    def test_the_form_shows_ten_and_says_by_which_clock(self) -> None:
        shown = self.client.get(page("change", self.kept().pk))

        self.assertContains(shown, 'value="10:00:00"')
        self.assertContains(shown, "By the clock of the event's own time zone", count=2)

    def test_a_new_event_is_offered_the_programme_s_zone(self) -> None:
        with override_settings(PROGRAMME_TIME_ZONE="America/Bahia"):
            self.assertContains(self.client.get(page("add")), 'value="America/Bahia"')

    def test_ten_o_clock_stays_ten_where_the_zone_changes(self) -> None:
        event = self.change(self.kept(), timezone="Europe/Berlin")

        self.assertEqual(event.start_at, TEN.replace(tzinfo=ZoneInfo("Europe/Berlin")))

    def test_a_change_of_something_else_leaves_the_moment_as_it_is(self) -> None:
        again = dt.datetime(2031, 4, 5, 16, 30, 15, 7, tzinfo=dt.UTC)  # half past two, for the second time
        event = self.kept()
        Event.objects.filter(pk=event.pk).update(start_at=again, date="2031-04-06")

        self.change(event, title="New", date="2031-04-06", start_at_0="2031-04-06", start_at_1="02:30:15")

        self.assertEqual((event.title, event.start_at), ("New", again))

    def test_a_time_that_no_clock_of_the_zone_shows_once_is_an_error_at_its_field(self) -> None:
        for day, time in (("2031-10-05", "02:30"), ("2031-04-06", "02:30")):
            with self.subTest(day):
                self.assert_refused_at_start(date=day, start_at_0=day, start_at_1=time)
        self.assertFalse(Event.objects.exists())

    def test_the_ends_of_time_are_errors_at_their_field_in_every_zone(self) -> None:
        for zone in ("Australia/Sydney", "America/Los_Angeles", "UTC"):
            for day in ("9999-12-31", "0001-01-01"):
                with self.subTest(zone=zone, day=day):
                    self.assert_refused_at_start(timezone=zone, start_at_0=day, start_at_1="18:00")
        self.assertFalse(Event.objects.exists())

    def test_a_zone_that_is_none_is_an_error_whatever_was_there(self) -> None:
        shown = self.client.post(
            page("change", self.kept().pk), {**FORM, **AT_TEN, "timezone": "AEST", "start_at_1": "11:00"}
        )

        self.assertContains(shown, "Send a time zone by its IANA name")

    def test_who_may_only_look_sees_the_event_s_clock_too(self) -> None:
        looker = make_user(is_staff=True, status="active", role="mentor")
        looker.user_permissions.set(Permission.objects.filter(codename="view_event"))
        self.client.force_login(looker)

        self.assertContains(
            self.client.get(page("change", self.kept().pk)), "5 December 2031, 10:00 (Australia/Sydney)"
        )
