"""Calendar files and feeds (RFC 5545): written by one library, read here by another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import vobject  # type: ignore[import-untyped]
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

from core.models import AuditEvent
from core.registry import CalendarEntry, calendar_entries
from events.models import CalendarFeed, Event
from events.services.calendars import calendar_of
from events.tests.cases import EventCase, call, url
from events.tests.factories import make_event, queue, seat
from users.models import User
from users.services.accounts import change_status
from users.services.erasure import erase_person

FEED: Final = reverse("events:my-calendar")
NOW: Final = datetime(2031, 1, 1, tzinfo=UTC)


def read(text: bytes) -> Any:
    """Return a calendar as the second library reads it."""
    return vobject.readOne(text.decode())


def lines_of(text: bytes) -> list[str]:
    """Return the unfolded lines of a calendar; each ended by CR LF, and was no longer than 75 octets."""
    assert text.endswith(b"\r\n")
    for line in text.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        assert b"\r" not in line
    return text.decode().replace("\r\n ", "").split("\r\n")


class OneEventTests(EventCase):
    def file(self, event: Event, **headers: Any) -> Any:
        return call(self.ada, "get", url("calendar", event.pk), **headers)

    def component(self, event: Event) -> Any:
        return read(self.file(event).content).vevent

    def test_moments_are_in_utc(self) -> None:
        """No reader needs our rules of time zones; Sydney is at +11 here, and at +10 an hour later."""
        start = datetime(2031, 4, 5, 15, 30, tzinfo=UTC)
        event = make_event(
            start_at=start,
            end_at=start + timedelta(hours=1),
            timezone="Australia/Sydney",
            date=date(2031, 4, 6),
        )

        component = self.component(event)

        self.assertEqual(component.dtstart.value, start)
        self.assertEqual(component.dtend.value, start + timedelta(hours=1))
        self.assertIn(b"DTSTART:20310405T153000Z\r\n", self.file(event).content)

    def test_a_day_is_all_day_and_says_the_time_in_words(self) -> None:
        event = make_event(time="6 to 8 pm", long_description="Come")

        component = self.component(event)

        self.assertEqual(
            (component.dtstart.value, component.dtend.value), (date(2031, 5, 6), date(2031, 5, 7))
        )
        self.assertEqual(component.description.value, "6 to 8 pm\n\nCome")
        self.assertFalse(hasattr(self.component(make_event(date=date.max)), "dtend"))

    def test_a_start_alone_has_no_end(self) -> None:
        self.assertFalse(hasattr(self.component(make_event(start_at=NOW, date=NOW.date())), "dtend"))

    def test_names_stay_and_versions_rise(self) -> None:
        event = make_event()
        before = self.component(event)
        call(self.admin, "patch", url("detail", event.pk), {"title": "New"})
        after = self.component(event)

        self.assertEqual((before.uid.value, before.sequence.value), (str(event.uid), "0"))
        self.assertEqual((after.uid.value, after.sequence.value), (str(event.uid), "1"))
        self.assertGreater(after.last_modified.value, before.dtstamp.value - timedelta(seconds=1))

    def test_whatever_people_write_is_text(self) -> None:
        hostile = (
            'Ünïcödé 👩‍🔬 \u202e; , \\ " : \u2028 a\r\nBEGIN:VEVENT\rEND:VCALENDAR\x0b\x85x\x07' + "長い" * 80
        )
        event = make_event(title=hostile[:200], description=hostile, location=hostile[:200])

        text = self.file(event).content
        lines = lines_of(text)

        self.assertEqual(
            [line for line in lines if line.startswith(("BEGIN", "END"))],
            ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR"],
        )
        expected = 'Ünïcödé 👩‍🔬 \u202e; , \\ " : \n a\nBEGIN:VEVENT\nEND:VCALENDAR\n\nx'
        self.assertTrue(read(text).vevent.summary.value.startswith(expected))
        self.assertTrue(read(text).vevent.location.value.startswith(expected))

    def test_it_is_a_file_that_everybody_who_is_signed_in_may_have(self) -> None:
        event = make_event(register_link="https://x.example/a,b;c")
        response = self.file(event, Accept="text/calendar")

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], "text/calendar; charset=utf-8")
        self.assertEqual(response.headers["Content-Disposition"], f'inline; filename="event-{event.pk}.ics"')
        self.assertEqual(read(response.content).vevent.url.value, "https://x.example/a,b;c")
        self.assert_refused(call(None, "get", url("calendar", event.pk)), 401)
        self.assert_refused(call(self.ada, "get", url("calendar", 2**62)), 404)
        self.assertEqual(call(self.ada, "get", url("calendar", event.pk) + "/").status_code, 200)

    def test_it_is_kept_and_asked_for_again_as_documents_are(self) -> None:
        event = make_event()
        etag = self.file(event).headers["ETag"]
        self.assertEqual(self.file(event, **{"If-None-Match": etag}).status_code, 304)
        self.assertEqual(self.file(event, **{"If-None-Match": f"W/{etag}"}).status_code, 304)
        self.assertEqual(self.file(event, **{"If-Match": etag}).status_code, 200)
        self.assert_refused(self.file(event, **{"If-Match": '"x"'}), 412)
        self.assert_refused(self.file(event, **{"If-Match": "x"}), 400, "If-Match")


class FeedTests(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.address: str = call(self.ada, "post", FEED).json()["url"]

    def fetch(self, address: str | None = None, **headers: Any) -> Any:
        """Fetch as a calendar program does: signed in nowhere."""
        path = (address or self.address).removeprefix("http://testserver")
        return self.client.get(path, headers=headers)

    def titles(self) -> set[str]:
        calendar = read(self.fetch().content)
        return {component.summary.value for component in getattr(calendar, "vevent_list", [])}

    def test_its_address_is_told_to_its_person_alone(self) -> None:
        feed = CalendarFeed.objects.get()

        self.assertRegex(self.address, r"^http://testserver/calendar/[0-9a-f]{64}\.ics$")
        told = call(self.ada, "get", FEED).json()
        self.assertEqual(
            (told["url"], told["createdAt"][:19]), (self.address, feed.created_at.isoformat()[:19])
        )
        self.assertEqual(call(self.bob, "get", FEED).json(), {"url": None, "createdAt": None})
        self.assertNotEqual(call(self.bob, "post", FEED).json()["url"], self.address)
        self.assert_refused(call(None, "get", FEED), 401)

    def test_the_table_alone_gives_no_address_away(self) -> None:
        token = self.address.split("/")[-1].removesuffix(".ics")
        row = CalendarFeed.objects.values().get()

        self.assertNotIn(token, [str(value) for value in row.values()])
        for value in (row["nonce"], row["digest"]):
            self.assertEqual(self.fetch(f"/calendar/{value}.ics").status_code, 404)

    def test_a_new_key_keeps_old_addresses_good(self) -> None:
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            self.assertEqual(call(self.ada, "get", FEED).json()["url"], self.address)
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
            self.assertIsNone(call(self.ada, "get", FEED).json()["url"])
            self.assertEqual(self.fetch().status_code, 200)

    def test_it_holds_the_events_for_which_one_has_a_seat(self) -> None:
        for title, put in (("mine", seat), ("queued", queue)):
            put(make_event(title=title), self.ada)
        seat(make_event(title="bobs"), self.bob)
        seat(make_event(title="past", date=date(2020, 1, 1)), self.ada)

        self.assertEqual(self.titles(), {"mine", "past"})

    def test_every_app_adds_what_it_has(self) -> None:
        entry = CalendarEntry(uid=str(UUID(int=1)), title="Due", start=date(2031, 1, 2), revised_at=NOW)
        with patch.dict(calendar_entries.entries, {"other": lambda _: [entry]}):
            self.assertEqual(self.titles(), {"Due"})

    def test_an_empty_one_is_a_calendar_too(self) -> None:
        response = self.fetch()

        self.assertEqual(read(response.content).prodid.value, "-//BIOTech Futures Hub//Events//EN")
        self.assertIn("BEGIN:VCALENDAR", lines_of(response.content))

    def test_whoever_has_it_already_is_told_so(self) -> None:
        seat(make_event(), self.ada)
        first = self.fetch()
        again = self.fetch(**{"If-None-Match": first.headers["ETag"]})

        self.assertEqual((again.status_code, again.content), (304, b""))
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        for response in (first, again):
            self.assertEqual(response.headers["Cache-Control"], "private, no-cache")
        seat(make_event(), self.ada)
        self.assertEqual(self.fetch(**{"If-None-Match": first.headers["ETag"]}).status_code, 200)
        self.assertEqual(self.client.head(self.address).status_code, 200)

    def test_a_condition_that_does_not_hold_is_refused_as_everything_is(self) -> None:
        """SAFETY R14: what the framework answers of itself has no body."""
        response = self.fetch(**{"If-Match": '"x"'})

        self.assertEqual((response.status_code, response.json()["code"]), (412, "precondition_failed"))

    def test_a_new_address_ends_the_old_one(self) -> None:
        new = call(self.ada, "post", FEED)

        self.assertEqual(new.status_code, 201)
        self.assertEqual(self.fetch().status_code, 404)
        self.assertEqual(self.fetch(new.json()["url"]).status_code, 200)

    def test_one_that_is_revoked_is_404(self) -> None:
        for _ in range(2):
            self.assertEqual(call(self.ada, "delete", FEED).status_code, 204)

        self.assertEqual(self.fetch().status_code, 404)
        self.assertEqual(call(self.ada, "get", FEED).json(), {"url": None, "createdAt": None})
        acts = AuditEvent.objects.filter(actor_id=self.ada.pk).values_list("action", flat=True)
        self.assertCountEqual(acts, ["calendar_feed_renewed", "calendar_feed_revoked"])

    def test_who_may_not_enter_has_none(self) -> None:
        change_status(self.ada, status="inactive", by=self.admin)
        self.assertEqual(self.fetch().status_code, 404)
        change_status(User.objects.get(pk=self.ada.pk), status="active", by=self.admin)
        self.assertEqual(self.fetch().status_code, 200)
        erase_person(self.ada, by=self.admin)
        self.assertEqual(self.fetch().status_code, 404)
        self.assertFalse(CalendarFeed.objects.exists())

    def test_what_is_no_address_is_404(self) -> None:
        for path in ("/calendar/x.ics", "/calendar/.ics", "/calendar/%00.ics", f"/calendar/{'0' * 5000}.ics"):
            self.assertEqual(self.fetch(path).status_code, 404)

    def test_it_is_read_and_nothing_else(self) -> None:
        client = Client(enforce_csrf_checks=True)
        for method in ("post", "put", "delete"):
            self.assertEqual(getattr(client, method)(self.address).status_code, 405)

    def test_it_costs_the_same_however_much_is_in_it(self) -> None:
        for count in (1, 40):
            for _ in range(count):
                seat(make_event(), self.ada)
            with self.assertNumQueries(3):
                self.assertEqual(self.fetch().status_code, 200)


class FileTests(EventCase):
    def test_the_same_entries_give_the_same_bytes_in_any_order(self) -> None:
        entries = [
            CalendarEntry(uid=str(n), title="x", start=date(2031, 1, 1 + n), revised_at=NOW) for n in range(5)
        ]

        self.assertEqual(calendar_of(entries, name="x"), calendar_of(entries[::-1], name="x"))
