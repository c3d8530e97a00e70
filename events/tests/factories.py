"""Events for tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from events.models import Event


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
