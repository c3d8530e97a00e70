"""Query parameters of the list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_filters import rest_framework as filters

from core.filters import FlagFilter
from events.models import Event

if TYPE_CHECKING:
    from core.prepared import Slot
    from events.models import EventQuerySet


class EventFilter(filters.FilterSet):
    """Which events."""

    upcoming = FlagFilter(
        method="narrow_to_upcoming",
        help_text="`true`: those that are not over, each by the clock of its own zone. Else all.",
    )
    type = filters.ChoiceFilter(choices=Event.Type.choices, help_text="`in-person` or `virtual`.")
    search = filters.CharFilter(
        method="narrow_to_matches",
        max_length=200,
        help_text="A part of the title, the description or the location, in any case.",
    )

    class Meta:
        model = Event
        fields: list[str] = []

    def narrow_to_upcoming(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.upcoming()

    def narrow_to_matches(self, events: EventQuerySet, name: str, value: str | Slot) -> EventQuerySet:
        return events.matching(value)
