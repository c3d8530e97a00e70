"""What can be wrong with a group."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import TextChoices
from django.utils import timezone

if TYPE_CHECKING:
    from datetime import datetime

SILENT_DAYS: Final = 14  # where nobody says how many


class Problem(TextChoices):
    """Why a group needs attention."""

    SILENT = "silent", "Silent"
    NO_MENTOR = "no_mentor", "Without a mentor"
    OVERDUE = "overdue", "With overdue tasks"


class Finding(NamedTuple):
    """What is wrong with one group."""

    group_id: str
    problems: frozenset[Problem]


def silent_since(days: int) -> datetime:
    """Return before when something must last have happened in a group that is silent for so many days."""
    return timezone.now() - timedelta(days=days)
