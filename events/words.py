"""What people read about events and their seats: words made of a notice alone, in its reader's language."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from core.mail import Fact, Letter, one_line
from events.services.telling import begins_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.mail import Reader
    from core.notifications.kinds import Told
    from events.services.telling import Facts

LONGEST: Final = 255


def seat_words(told: Told) -> Letter:
    """Say that somebody has a seat, or has given it up."""
    title = title_of(told)
    match told.data["what"]:
        case "confirmed":
            subject, opening = _("Your seat: %(title)s"), _("You have a seat at %(title)s.")
        case "promoted":
            subject = _("You have a seat now: %(title)s")
            opening = _("A seat at %(title)s is free, and it is yours: you were next on the waiting list.")
        case _:
            subject, opening = _("Seat given up: %(title)s"), _("You have given up your seat at %(title)s.")
    return Letter(
        subject=subject % title,
        opening=opening % title,
        facts=(*moments_of(told), *place_of(told), *page_of(told)),
        closing="" if told.data["what"] == "given_up" else if_not(),
    )


def change_words(told: Told) -> Letter:
    """Say what was changed, or that an event does not take place."""
    title = title_of(told)
    if told.data["what"] != "changed":
        return Letter(
            subject=_("Cancelled: %(title)s") % title,
            opening=_("%(title)s has been cancelled: it does not take place.") % title,
            facts=(*moments_of(told), *place_of(told)),
        )
    return Letter(
        subject=change_subject(told) % title,
        opening=_("Something has changed about %(title)s. This is how it is now, and how it was.") % title,
        facts=(*moments_of(told), *place_of(told), *what_was(told), *page_of(told)),
    )


def change_subject(told: Told) -> str:
    """Name what has changed, where it is one thing. A time is new where a moment has moved, not its name."""
    match told.data["changed"]:
        case ["when"] if has_moved(told.data["before"], told.data["event"]):
            return _("New time: %(title)s")
        case ["place"]:
            return _("New place: %(title)s")
    return _("Changed: %(title)s")


def has_moved(before: Facts, now: Facts) -> bool:
    """Return whether it is at another time. What takes a day has its time of day in words alone."""
    moments = begins_in(before) != begins_in(now) or before["end"] != now["end"]
    return moments or (now["start"] is None and before["time"] != now["time"])


def reminder_words(told: Told) -> Letter:
    """Say when an event begins, a day or an hour before."""
    title = title_of(told)
    soon = told.data["what"] == "1h"
    subject = _("Begins soon: %(title)s") if soon else _("Reminder: %(title)s")
    opening = _("%(title)s begins soon, and you have a seat.") if soon else _("You have a seat at %(title)s.")
    return Letter(
        subject=subject % title,
        opening=opening % title,
        facts=(*moments_of(told), *place_of(told), *page_of(told)),
        closing="" if soon else if_not(),
    )


def if_not() -> str:
    return _("If you cannot come, please give up your seat, so that somebody else gets it.")


def title_of(told: Told) -> dict[str, str]:
    return {"title": one_line(told.data["event"]["title"])}


def moments_of(told: Told) -> Iterator[Fact]:
    return moments(told.data["event"], told.reader, (_("When"), _("Until"), _("Local time there")))


def moments(event: Facts, reader: Reader, names: tuple[str, str, str]) -> Iterator[Fact]:
    """Yield when it is: by the reader's clock, and in the event's own words where those say more."""
    when, until, local_time = names
    zone, day = ZoneInfo(event["zone"]), reader.day(date.fromisoformat(event["date"]))
    own = f"{day}, {one_line(event['time'])} ({zone.key})"
    start, end = (event[name] and datetime.fromisoformat(event[name]) for name in ("start", "end"))
    if not start:
        yield Fact(when, own)
        return
    yield Fact(when, reader.moment(start))
    if end:
        yield Fact(until, reader.moment(end))
    there, here = start.astimezone(zone), start.astimezone(reader.zone)
    if there.utcoffset() != here.utcoffset() or event["time"] != f"{there:%H:%M}":
        yield Fact(local_time, own)


def place_of(told: Told) -> Iterator[Fact]:
    yield Fact(_("Place"), one_line(told.data["event"]["location"], LONGEST))


def page_of(told: Told) -> Iterator[Fact]:
    """Yield where to read more: at the web client, and at the link that the event has."""
    event = told.data["event"]
    page = f"{settings.FRONTEND_BASE_URL.rstrip('/')}/#/events/{event['id']}"
    yield Fact(_("Event"), page, action=_("See the event"))
    if event["link"]:
        yield Fact(_("Link"), event["link"], action=_("Open the link"))


def what_was(told: Told) -> Iterator[Fact]:
    """Yield how it was before, of what has changed."""
    before, changed = told.data["before"], told.data["changed"]
    if "title" in changed:
        yield Fact(_("Title before"), one_line(before["title"], LONGEST))
    if "when" in changed:
        names = (_("Time before"), _("End before"), _("Local time before"))
        yield from moments(before, told.reader, names)
    if "place" in changed:
        yield Fact(_("Place before"), one_line(before["location"], LONGEST))
    if "link" in changed and before["link"]:
        yield Fact(_("Link before"), before["link"])
