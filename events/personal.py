"""What events hold of a person, and which uploads events need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.uploads.erasure import uploads_named_in
from events.models import CalendarFeed, Event, EventRegistration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield where the person has a seat, or waits for one, and since when they have a feed.

    Its address is a key, and told at its own place alone.
    """
    own = EventRegistration.everything.filter(user=user).select_related("event")
    yield (
        "registrations",
        [
            {
                "eventId": row.event_id,
                "title": row.event.title,
                "date": row.event.date,
                "time": row.event.time,
                "location": row.event.location,
                "registeredAt": None if row.waiting_since else row.registered_at,
                "waitingSince": row.waiting_since,
                "attendedAt": row.attended_at,
            }
            for row in own.order_by("registered_at", "pk")
        ],
    )
    feed = CalendarFeed.objects.filter(user=user).first()
    yield "calendarFeed", {"createdAt": feed.created_at if feed else None}


def may_open_cover(viewer: User, key: str, /) -> bool:
    """Let everybody who is signed in see the covers of events, as they see the events."""
    return True


def named_files(keys: Collection[str], /) -> set[str]:
    """Return those of the keys that an event names, also where its row was made by hand."""
    covers = Event.objects.filter(cover_image__in=keys).values_list("cover_image", flat=True)
    return {cover for cover in covers if cover}


def needed_uploads(ids: Collection[int], /) -> set[int]:
    """Return those of the uploads that are the cover of an event."""
    return uploads_named_in(Event.objects.all(), "cover_image", ids=ids)
