"""Calendar feeds: set up, revoked, read by whoever holds the address."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from core import audit
from core.preconditions import confirm
from core.refusals import Missing
from core.registry import CalendarEntry, calendar_entries
from events.models import CalendarFeed, Event
from events.models.feed import digest_of
from events.services.calendars import calendar_of
from users.services.holding import acting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User


@transaction.atomic
def renew_feed(*, by: User) -> CalendarFeed:
    """Set up somebody's feed under a new address; the old one stops at once. Holds the person."""
    by = acting(by)
    CalendarFeed.objects.filter(user=by).delete()
    audit.record("calendar_feed_renewed", actor=by, target=by)
    return CalendarFeed.objects.create(user=by)


@transaction.atomic
def revoke_feed(*, by: User) -> None:
    """Take somebody's feed away; nothing happens where they have none. Holds the person."""
    by = acting(by)
    confirm()
    gone, _ = CalendarFeed.objects.filter(user=by).delete()
    if gone:
        audit.record("calendar_feed_revoked", actor=by, target=by)


def read_feed(token: str) -> bytes:
    """Return the calendar behind an address.

    Raises Missing (404) where it was revoked or never given, and where its person may not enter.
    """
    feed = CalendarFeed.objects.select_related("user").filter(digest=digest_of(token)).first()
    if feed is None or not feed.user.may_enter:
        raise Missing
    entries = (entry for entries_of in calendar_entries for entry in entries_of(feed.user))
    return calendar_of(entries, name=settings.PROGRAMME_NAME)


def entries_of(user: User, /) -> Iterator[CalendarEntry]:
    """Yield the events for which somebody has a seat."""
    # The relation knows nothing of managers: said here, that waiting is no seat.
    own = Event.objects.filter(registrations__user=user, registrations__waiting_since=None)
    return (entry_of(event) for event in own)


def entry_of(event: Event) -> CalendarEntry:
    """Return an event as calendars show it: without a start it takes its day."""
    about = event.long_description or event.description
    return CalendarEntry(
        uid=str(event.uid),
        title=event.title,
        start=event.start_at or event.date,
        end=event.end_at if event.start_at else day_after(event.date),
        description=about if event.start_at else f"{event.time}\n\n{about}".strip(),
        location=event.location,
        url=event.register_link,
        sequence=event.sequence,
        revised_at=event.updated_at,
    )


def day_after(day: date) -> date | None:
    """Return the next day; None after the last one that there is."""
    return day + timedelta(days=1) if day < date.max else None
