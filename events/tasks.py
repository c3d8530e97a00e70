"""What events do in the background."""

from __future__ import annotations

from datetime import timedelta

from core.periodic import periodic
from events.services.reminders import remind


@periodic("remind_of_events", every=timedelta(minutes=1))
def remind_of_events() -> dict[str, int]:
    """Remind people of the events that begin in a day or in an hour, once for each start."""
    return {"reminders": remind()}
