"""Moments as a column may be given them: a text, a day, a clock that says no zone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import DateTimeField
from django.utils.timezone import is_naive


def moment_of(value: Any) -> dt.datetime | None:
    """Return the moment that a column would hold: without a zone it is in UTC. Raises ValidationError."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time.min)
    moment: dt.datetime | None = DateTimeField().to_python(value)
    return moment.replace(tzinfo=dt.UTC) if moment and is_naive(moment) else moment
