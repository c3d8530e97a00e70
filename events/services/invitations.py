"""Invitations to one person's calendar (iTIP, RFC 5546), as files of a mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.conf import settings

from core.mail import Attachment, one_line
from core.registry import CalendarEntry
from events.services.calendars import component_of, new_calendar, plain
from events.services.feeds import day_after, entry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import icalendar

    from events.models import Event

NAME: Final = "invite.ics"
IN_ADDRESSES: Final = "@!$'*+-._~=/"  # needs no escape in a mailto address (RFC 6068)


def request(event: Event, said: Mapping[str, Any], *, to: str) -> Attachment:
    """Put an event into somebody's calendar, or change it there."""
    number, moment = revision_of(said)
    return message("REQUEST", replace(entry_of(event), sequence=number, revised_at=moment), to=to)


def cancellation(said: Mapping[str, Any], *, to: str) -> Attachment:
    """Take an event out of somebody's calendar, also where it is gone from here."""
    facts = said["event"]
    start, end = (facts[name] and datetime.fromisoformat(facts[name]) for name in ("start", "end"))
    day, (number, moment) = date.fromisoformat(facts["date"]), revision_of(said)
    entry = CalendarEntry(
        uid=facts["uid"],
        title=facts["title"],
        location=facts["location"],
        start=start or day,
        end=end if start else day_after(day),
        sequence=number,
        revised_at=moment,
    )
    return message("CANCEL", entry, to=to)


def revision_of(said: Mapping[str, Any]) -> tuple[int, datetime]:
    """Return the number and the moment that a notice has fixed."""
    return said["sequence"], datetime.fromisoformat(said["said_at"])


def message(method: str, entry: CalendarEntry, *, to: str) -> Attachment:
    """Return a calendar of one event, with one attendee: nobody learns who else comes.

    To its one attendee a cancelled event is cancelled as a whole, also where only they do not come.
    """
    component = component_of(entry)
    component.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    component.add("organizer", organizer())
    component.add("attendee", attendee(to))
    calendar = new_calendar(method)
    calendar.add_component(component)
    return Attachment(NAME, bytes(calendar.to_ical()), f"text/calendar; method={method}; charset=utf-8")


def organizer() -> icalendar.vCalAddress:
    """Return the programme, at the address from which its mail comes."""
    found = address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    found.params["CN"] = one_line(plain(settings.PROGRAMME_NAME)).replace('"', "'")
    return found


def attendee(email: str) -> icalendar.vCalAddress:
    found = address(email)
    found.params["ROLE"] = "REQ-PARTICIPANT"
    found.params["PARTSTAT"] = "ACCEPTED"
    found.params["RSVP"] = "FALSE"
    return found


def address(email: str) -> icalendar.vCalAddress:
    import icalendar  # noqa: PLC0415 - large, and most processes make no calendar

    return icalendar.vCalAddress(f"mailto:{quote(email, safe=IN_ADDRESSES)}")
