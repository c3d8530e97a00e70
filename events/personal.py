"""What events hold of a person, and which uploads events need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.uploads.erasure import uploads_named_in
from events.models import Event, EventRegistration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield the events for which the person has registered."""
    rows = EventRegistration.objects.filter(user=user).select_related("event").order_by("registered_at", "pk")
    yield (
        "registrations",
        [
            {
                "eventId": row.event_id,
                "title": row.event.title,
                "date": row.event.date,
                "time": row.event.time,
                "location": row.event.location,
                "registeredAt": row.registered_at,
            }
            for row in rows
        ],
    )


def needed_uploads(ids: Collection[int], /) -> set[int]:
    """Return those of the uploads that are the cover of an event."""
    return uploads_named_in(Event.objects.all(), "cover_image", ids=ids)
