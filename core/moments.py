"""Moments as a column may be given them: a text, a day, a clock that says no zone."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import DateTimeField
from django.utils import timezone
from django.utils.timezone import is_naive


def moment_of(value: Any) -> dt.datetime | None:
    """Return the moment that a column would hold: without a zone it is in UTC. Raises ValidationError."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time.min)
    moment: dt.datetime | None = DateTimeField().to_python(value)
    return moment.replace(tzinfo=dt.UTC) if moment and is_naive(moment) else moment


def programme_today() -> dt.date:
    """Return which day it is by the programme's clock."""
    return timezone.localdate(timezone=ZoneInfo(settings.PROGRAMME_TIME_ZONE))


def zone_of(name: str) -> ZoneInfo:
    """Return a person's zone; the programme's where they named none, or one that is not known any more."""
    try:
        return ZoneInfo(name or settings.PROGRAMME_TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.PROGRAMME_TIME_ZONE)
