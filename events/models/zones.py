"""Time zones by their IANA names, and when a day is over in one."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final

from django.core.exceptions import ValidationError

# Files beside the zones, which are no places: what they mean is each machine's own affair.
NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory"})
FAR_FUTURE: Final = datetime(9999, 12, 31, tzinfo=UTC)


@cache
def known_zones() -> frozenset[str]:
    """Return every name that there is; read from the disk once."""
    return frozenset(zoneinfo.available_timezones()) - NO_ZONES


def validate_zone(name: str) -> None:
    """Refuse what is no name of a time zone, such as an offset or an abbreviation."""
    if name not in known_zones():
        raise ValidationError("Send a time zone by its IANA name, such as Australia/Sydney.", code="zone")


def end_of_day(day: date, zone: zoneinfo.ZoneInfo) -> datetime:
    """Return the moment at which a day ends in a zone: its days have 23 to 25 hours."""
    try:
        return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    except OverflowError:  # the last day that there is
        return FAR_FUTURE
