"""What happens when and where, who comes, and who waits."""

from events.models.event import Event, EventQuerySet
from events.models.feed import CalendarFeed
from events.models.registration import EventRegistration

__all__ = ["CalendarFeed", "Event", "EventQuerySet", "EventRegistration"]
