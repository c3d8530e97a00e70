"""Events as rows of a spreadsheet."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.admin.served import ServedResource
from events.models import Event
from events.serializers.events import EventWriteSerializer, NewEventSerializer
from events.services.events import change_event, create_event

if TYPE_CHECKING:
    from collections.abc import Mapping

MOMENTS: Final = ("start_at", "end_at")


class EventSheet(ServedResource):
    """Times are ISO 8601. One without an offset is read by the clock of the event's own time zone.

    That is the row's, else the one that the event has, else PROGRAMME_TIME_ZONE, which new events get.
    """

    new_row = NewEventSerializer
    changed_row = EventWriteSerializer
    # Day and time of day follow the start where they are blank.
    kept_when_blank = frozenset({"date", "time", "timezone"})
    empty: ClassVar = dict.fromkeys((*MOMENTS, "capacity"))

    class Meta:
        model = Event
        fields = [
            *("id", "title", "description", "long_description", "date", "time", "start_at", "end_at"),
            *("timezone", "location", "type", "register_link", "capacity"),
        ]
        export_order = fields
        use_transactions = True

    def create(self, values: dict[str, Any]) -> Event:
        return create_event(by=self.by, **{"timezone": settings.PROGRAMME_TIME_ZONE, **values})

    def change(self, instance: Event, values: dict[str, Any]) -> Event:
        return change_event(instance.pk, by=self.by, values=values)

    def cell(self, name: str, text: str, row: Mapping[str, str], instance: Event) -> str:
        if name not in MOMENTS:
            # A workbook knows no days: they are the moments with which they begin.
            return text.removesuffix("T00:00:00") if name == "date" else text
        zone = row.get("timezone") or (instance.timezone if instance.pk else settings.PROGRAMME_TIME_ZONE)
        # What is no time, or no zone, the serializer refuses.
        with suppress(ValueError, OSError, KeyError):
            moment = parse_datetime(text)
            if moment and timezone.is_naive(moment):
                return moment.replace(tzinfo=ZoneInfo(zone)).isoformat()
        return text

    def exported(self, value: Any, instance: Event) -> str:
        if isinstance(value, datetime):
            value = value.astimezone(instance.zone)
        return super().exported(value, instance)
