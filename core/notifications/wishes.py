"""How people want to be told: read for many at once, applied to one notice."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings

from core.mail import Reader
from core.models import NotificationChoice, NotificationSettings
from core.moments import zone_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from zoneinfo import ZoneInfo

    from core.notifications.kinds import Kind


@dataclass(frozen=True)
class Wishes:
    """One person's language, clock, quiet hours, and choices by kind."""

    language: str = ""
    time_zone: str = ""
    quiet_from: dt.time | None = None
    quiet_until: dt.time | None = None
    choices: dict[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.time_zone)

    @property
    def reader(self) -> Reader:
        return Reader(language=self.language or settings.PROGRAMME_LANGUAGE, zone=self.zone)

    def pace(self, kind: Kind) -> str:
        """Return when the person wants mail of that kind; a choice that the kind no longer has counts not."""
        chosen = self.choices.get(kind.name, kind.usual)
        return kind.usual if kind.is_mandatory or chosen not in kind.paces else chosen

    def after_quiet(self, moment: dt.datetime) -> dt.datetime:
        """Return the moment itself, or the end of the quiet hours in which it lies, by the person's clock."""
        if self.quiet_from is None or self.quiet_until is None:
            return moment
        local = moment.astimezone(self.zone)
        if not is_between(local.time(), self.quiet_from, self.quiet_until):
            return moment
        day = local.date() + dt.timedelta(days=local.time() >= self.quiet_until)
        end = dt.datetime.combine(day, self.quiet_until, tzinfo=self.zone)
        # Where the clock is put back, that time may be over already.
        return max(moment, end.astimezone(dt.UTC))


def is_between(time: dt.time, begin: dt.time, end: dt.time) -> bool:
    """Return whether a time of day lies in hours that may go past midnight."""
    return begin <= time < end if begin <= end else time >= begin or time < end


def wishes_of(people: Collection[int]) -> dict[int, Wishes]:
    """Return the wishes of people (by id), in two queries however many they are."""
    rows = {row.person_id: row for row in NotificationSettings.objects.filter(person__in=people)}
    choices: dict[int, dict[str, str]] = {}
    for choice in NotificationChoice.objects.filter(person__in=people):
        choices.setdefault(choice.person_id, {})[choice.kind] = choice.pace
    return {one: wishes_from(rows.get(one), choices.get(one, {})) for one in people}


def reader_of(person: int) -> Reader:
    """Return in which language, and by which clock, a person (by id) reads. One query."""
    return wishes_from(NotificationSettings.objects.filter(person=person).first(), {}).reader


def wishes_from(row: NotificationSettings | None, choices: dict[str, str]) -> Wishes:
    if row is None:
        return Wishes(choices=choices)
    return Wishes(row.language, row.time_zone, row.quiet_from, row.quiet_until, choices)
