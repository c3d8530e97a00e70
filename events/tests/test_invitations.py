"""Invitations as calendar programs read them (RFC 5545, RFC 5546)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import icalendar
import vobject  # type: ignore[import-untyped]
from django.test import SimpleTestCase, override_settings

from core.mail import Envelope, Letter, compose
from events.models import Event
from events.services.invitations import cancellation, request
from events.services.telling import data_of
from events.tests.test_calendars import lines_of

if TYPE_CHECKING:
    from core.mail import Attachment

START: Final = datetime(2031, 5, 6, 8, tzinfo=UTC)
HOSTILE: Final = 'A; , \\ " : \u2028 a\r\nBEGIN:VEVENT\rMETHOD:CANCEL\x0b\x85END:VCALENDAR\x07' + "長い" * 40


def event_of(**fields: Any) -> Event:
    """Return an event that is stored nowhere."""
    fields = {
        "title": "Symposium",
        "location": "Brisbane",
        "date": date(2031, 5, 6),
        "time": "18:00",
    } | fields
    return Event(pk=7, **fields)


def both(event: Event, to: str = "ada@example.org") -> tuple[Attachment, Attachment]:
    said = data_of(event, "confirmed")
    return request(event, said, to=to), cancellation(said, to=to)


def read(file: Attachment) -> Any:
    [event] = icalendar.Calendar.from_ical(file.content.decode()).events
    return event


@override_settings(DEFAULT_FROM_EMAIL="Hub <hub@example.org>", PROGRAMME_NAME="BIOTech Futures Hub")
class InvitationTests(SimpleTestCase):
    def test_a_request_is_one_event_of_one_person(self) -> None:
        event = event_of(start_at=START, end_at=START + timedelta(hours=1), sequence=4, description="Come")
        said = data_of(event, "confirmed")
        file = request(event, said, to="ada@example.org")

        self.assertEqual(
            (file.name, file.kind), ("invite.ics", "text/calendar; method=REQUEST; charset=utf-8")
        )
        moment = f"{datetime.fromisoformat(said['said_at']):%Y%m%dT%H%M%SZ}"
        self.assertCountEqual(
            [line for line in lines_of(file.content) if line],
            [
                *("BEGIN:VCALENDAR", "PRODID:-//BIOTech Futures Hub//Events//EN", "VERSION:2.0"),
                *("METHOD:REQUEST", "BEGIN:VEVENT", f"UID:{event.uid}", "SUMMARY:Symposium"),
                *("DTSTART:20310506T080000Z", "DTEND:20310506T090000Z", f"DTSTAMP:{moment}"),
                *(f"LAST-MODIFIED:{moment}", "SEQUENCE:4", "DESCRIPTION:Come", "LOCATION:Brisbane"),
                *("STATUS:CONFIRMED", 'ORGANIZER;CN="BIOTech Futures Hub":mailto:hub@example.org'),
                "ATTENDEE;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:ada@example.org",
                *("END:VEVENT", "END:VCALENDAR"),
            ],
        )

    def test_a_cancellation_is_made_of_what_was_said_alone(self) -> None:
        event = event_of(start_at=START, end_at=START + timedelta(hours=1))
        file = cancellation(data_of(event, "cancelled", sequence=9), to="ada@example.org")

        self.assertEqual(file.kind, "text/calendar; method=CANCEL; charset=utf-8")
        found = read(file)
        self.assertEqual(
            (found["uid"], found["sequence"], found["status"], found.start, found.end),
            (str(event.uid), 9, "CANCELLED", START, START + timedelta(hours=1)),
        )

    def test_both_know_days_and_starts_without_an_end(self) -> None:
        for file in both(event_of()):
            self.assertEqual((read(file).start, read(file).end), (date(2031, 5, 6), date(2031, 5, 7)))
        for file in both(event_of(date=date.max)):
            self.assertNotIn("DTEND", read(file))
        for file in both(event_of(start_at=START)):
            self.assertEqual(read(file)["dtstart"].dt, START)
            self.assertNotIn("DTEND", read(file))

    def test_the_same_notice_gives_the_same_bytes(self) -> None:
        event = event_of(start_at=START)
        said = data_of(event, "confirmed")
        files = {request(event, said, to="ada@example.org").content for _ in range(2)}
        self.assertEqual(len(files), 1)

    def test_whatever_people_write_is_text(self) -> None:
        with override_settings(PROGRAMME_NAME=HOSTILE):
            for file in both(event_of(title=HOSTILE, location=HOSTILE, description=HOSTILE, time=HOSTILE)):
                lines = lines_of(file.content)
                method = next(line for line in lines if line.startswith("METHOD"))
                self.assertEqual(
                    [line for line in lines if line.startswith(("BEGIN", "END", "METHOD"))],
                    ["BEGIN:VCALENDAR", method, "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR"],
                )
                for title in (
                    read(file)["summary"],
                    vobject.readOne(file.content.decode()).vevent.summary.value,
                ):
                    self.assertTrue(title.startswith('A; , \\ " : \n a\nBEGIN:VEVENT\nMETHOD:CANCEL\n\nEND'))

    def test_an_address_is_nothing_but_an_address(self) -> None:
        for address, written in (
            ("ada+hub@example.org", "ada+hub@example.org"),
            ('"a;b"@example.org', "%22a%3Bb%22@example.org"),
            ("a%40b@example.org", "a%2540b@example.org"),
            ("a\r\nATTENDEE:x@example.org", "a%0D%0AATTENDEE%3Ax@example.org"),
            ("zoë@example.org", "zo%C3%AB@example.org"),
        ):
            for file in both(event_of(), to=address):
                self.assertEqual(str(read(file)["attendee"]), f"mailto:{written}")
                self.assertEqual(sum(line.startswith("ATTENDEE") for line in lines_of(file.content)), 1)

    def test_a_mail_carries_it_as_mail_programs_look_for_it(self) -> None:
        file, _ = both(event_of(title="Zoë's évening 長い"))
        letter = Letter("Subject", "Opening", attachments=(file,))

        message = compose(letter, Envelope(to="ada@example.org")).message()

        parts = {part.get_content_type(): part for part in message.walk()}
        self.assertEqual(parts["text/calendar"].get_param("method"), "REQUEST")
        self.assertEqual(parts["text/calendar"].get_param("charset"), "utf-8")
        self.assertEqual(parts["text/calendar"].get_payload(decode=True), file.content)
        self.assertEqual(parts["application/ics"].get_filename(), "invite.ics")
        self.assertEqual(parts["application/ics"].get_payload(decode=True), file.content)
