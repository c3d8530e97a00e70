"""The form of an event at the admin site: its start and end are read by its own clock."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone

from core.admin.covers import CoverForm
from events.models.event import MOMENTS
from events.models.zones import known_zones

if TYPE_CHECKING:
    from events.models import Event

TIMES: Final = ("start_at", "end_at")
BY_ITS_CLOCK: Final = "By the clock of the event's own time zone, which is chosen below."


class WallClockField(forms.SplitDateTimeField):
    """A day and a time as a clock on the wall shows them; which clock that is, the form says."""

    def compress(self, data_list: Any) -> dt.datetime | None:
        """Return the moment without a zone. Raises ValidationError where one of the two is missing."""
        moment = super().compress(data_list)
        return dt.datetime.combine(*data_list) if moment else None


class EventForm(CoverForm):
    """An event whose times are read, and shown, in its zone: in the chosen one where that changes."""

    class Meta:
        help_texts: ClassVar = dict.fromkeys(TIMES, BY_ITS_CLOCK)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TIMES:
            if moment := vars(self.instance).get(name):
                self.initial[name] = moment.astimezone(self.instance.zone).replace(tzinfo=None)

    @cached_property
    def changed_data(self) -> list[str]:
        """Name the times too where the zone was changed: the same hands mean another moment then."""
        changed = super().changed_data
        if "timezone" not in changed:
            return changed
        return [*changed, *(name for name in TIMES if name in self.fields and name not in changed)]

    def clean(self) -> dict[str, Any]:
        """Make moments of the times. Where the zone is none, its field says so, and they are left out."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        is_known = values.get("timezone") in known_zones()
        for name in TIMES:
            if values.get(name) is None:
                continue
            if name not in self.changed_data:  # an hour that is there twice a year stays which it was
                values[name] = vars(self.instance)[name]
            elif not is_known:
                del values[name]
            else:
                self.read(name, values)
        return values

    def read(self, name: str, values: dict[str, Any]) -> None:
        try:
            values[name] = moment_in(ZoneInfo(values["timezone"]), values[name])
        except ValidationError as error:
            self.add_error(name, error)


def moment_in(zone: ZoneInfo, clock: dt.datetime) -> dt.datetime:
    """Return the moment at which a zone's clock shows this. Raises ValidationError: also never, and twice."""
    with timezone.override(zone):
        moment: dt.datetime = from_current_timezone(clock)
    for validate in MOMENTS:
        validate(moment)
    return moment


def clock_of(event: Event, moment: dt.datetime | None) -> str:
    """Return a moment as people read it where the event takes place."""
    return f"{moment.astimezone(event.zone):%-d %B %Y, %H:%M} ({event.timezone})" if moment else "-"
