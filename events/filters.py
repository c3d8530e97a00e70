"""Query parameters of the list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django_filters import rest_framework as filters

from events.models import Event

if TYPE_CHECKING:
    from events.models import EventQuerySet

YES: Final = frozenset({"true", "True", "1"})


class EventFilter(filters.FilterSet):
    """Which events."""

    upcoming = filters.CharFilter(
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
        return events.upcoming() if value in YES else events

    def narrow_to_matches(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.matching(value)
