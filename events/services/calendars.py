"""Calendars as files (RFC 5545): what the library cannot know of our entries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    import icalendar

    from core.registry import CalendarEntry

PRODUCT: Final = "-//BIOTech Futures Hub//Events//EN"
# Some readers end a line at these, and so would read what somebody wrote as a line of its own.
LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
NOT_TEXT: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


def calendar_of(entries: Iterable[CalendarEntry], *, name: str) -> bytes:
    """Return a calendar in the order of the entries' names: the same entries give the same bytes."""
    import icalendar  # noqa: PLC0415 - large, and most processes make no calendar

    calendar = new_calendar("PUBLISH")
    # No property of the standard: the library would not escape it.
    calendar.add("x-wr-calname", icalendar.vText(plain(name)))
    for entry in sorted(entries, key=lambda entry: entry.uid):
        calendar.add_component(component_of(entry))
    return bytes(calendar.to_ical())


def new_calendar(method: str) -> icalendar.Calendar:
    import icalendar  # noqa: PLC0415 - as above

    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def component_of(entry: CalendarEntry) -> icalendar.Event:
    """Return an entry as an event: moments in UTC, so that no reader needs our rules of time zones."""
    import icalendar  # noqa: PLC0415 - as above

    component = icalendar.Event()
    component.add("uid", entry.uid)
    component.add("summary", plain(entry.title))
    component.add("dtstart", entry.start)
    if entry.end is not None:
        component.add("dtend", entry.end)
    component.add("dtstamp", entry.revised_at)
    component.add("last-modified", entry.revised_at)
    component.add("sequence", entry.sequence)
    for field, text in (("description", entry.description), ("location", entry.location)):
        if text:
            component.add(field, plain(text))
    if entry.url:
        component.add("url", "".join(plain(entry.url).split()))
    return component


def plain(text: str) -> str:
    """Return text without control characters; every end of a line is the one that is escaped."""
    return NOT_TEXT.sub("", LINE_ENDS.sub("\n", text))
