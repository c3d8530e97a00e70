"""Announcements for tests."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from announcements.models import Announcement

if TYPE_CHECKING:
    from datetime import datetime

numbers = count(1)


def make_announcement(**fields: Any) -> Announcement:
    """Return a stored announcement with a title of its own, for everyone, at once."""
    fields.setdefault("title", f"News {next(numbers)}")
    fields.setdefault("summary", "Short")
    return Announcement.objects.create(**fields)


def hours(number: float) -> datetime:
    """Return the moment so many hours from now."""
    return timezone.now() + timedelta(hours=number)
