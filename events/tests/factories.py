"""Events for tests."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from events.models import Event, EventRegistration

if TYPE_CHECKING:
    from users.models import User


def make_event(**fields: Any) -> Event:
    """Return a stored event."""
    return Event.objects.create(
        **{
            "title": "Symposium",
            "date": date(2031, 5, 6),
            "time": "18:00",
            "location": "Brisbane",
            "type": Event.Type.IN_PERSON,
            **fields,
        }
    )


def seat(event: Event, *people: User) -> None:
    """Give people seats, past any rule."""
    for person in people:
        EventRegistration.objects.create(event=event, user=person)


def queue(event: Event, *people: User) -> None:
    """Put people on the waiting list, in this order, past any rule."""
    for person in people:
        EventRegistration.everything.create(event=event, user=person, waiting_since=timezone.now())
