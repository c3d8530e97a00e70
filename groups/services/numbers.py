"""Counting people and groups."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from core.roles import Role
from core.tracks import on_track
from groups.models import Group
from users.models import User

KNOWN = ~Q(status=User.Status.PENDING)
ACTIVE, PENDING = Q(status=User.Status.ACTIVE), Q(status=User.Status.PENDING)
MENTOR, STUDENT = Q(role=Role.MENTOR), Q(role=Role.STUDENT)


def programme_numbers(*, track: str) -> dict[str, Any]:
    """Count people and active groups of a track, in two queries. Totals leave out who is still pending."""
    people = User.objects.filter(on_track(track)).aggregate(
        total_users=Count("pk", filter=KNOWN),
        mentors=Count("pk", filter=MENTOR & KNOWN),
        mentors_active=Count("pk", filter=MENTOR & ACTIVE),
        mentors_pending=Count("pk", filter=MENTOR & PENDING),
        students=Count("pk", filter=STUDENT & KNOWN),
        students_pending=Count("pk", filter=STUDENT & PENDING),
    )
    return {**people, "active_groups": Group.objects.active().filter(on_track(track)).count()}
