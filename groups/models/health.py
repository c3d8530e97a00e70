"""What can be wrong with a group."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import TextChoices


class Problem(TextChoices):
    """Why a group needs attention."""

    SILENT = "silent", "Silent"
    NO_MENTOR = "no_mentor", "Without a mentor"
    OVERDUE = "overdue", "With overdue tasks"


class Finding(NamedTuple):
    """What is wrong with one group."""

    group_id: str
    problems: frozenset[Problem]
