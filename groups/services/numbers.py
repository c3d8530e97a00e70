"""Counting people and groups."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import Sum, Value

from core.prepared import Prepared, Slot
from core.roles import Role
from core.tracks import EVERY_TRACK, on_track
from groups.models.counts import group_counts
from groups.models.teams import IS_ACTIVE
from users.models import User
from users.models.headcounts import headcounts

ACTIVE, PENDING = User.Status.ACTIVE.value, User.Status.PENDING.value
GROUPS: Final = ""  # stands where a person's role would


def counts(track: Any) -> models.QuerySet[Any, Any]:
    """Add up people of each role and status, and beside them the active groups."""
    people: Any = headcounts().filter(on_track(track)).order_by().values("role", "status")
    groups: Any = group_counts().filter(IS_ACTIVE, on_track(track)).order_by()
    active: Any = groups.values(kind=Value(GROUPS), state=Value("")).annotate(n=Sum("groups", default=0))
    rows: models.QuerySet[Any, Any] = people.annotate(n=Sum("people")).union(active, all=True)
    return rows


OF_ALL: Final = Prepared(lambda: counts(""))
OF_ONE_TRACK: Final = Prepared(lambda: counts(Slot("track", models.TextField())))


def programme_numbers(*, track: str) -> dict[str, Any]:
    """Count people and active groups of a track, in one query. Totals leave out who is still pending."""
    wanted = track.strip()
    rows = OF_ALL.rows() if wanted.lower() in EVERY_TRACK else OF_ONE_TRACK.rows(track=wanted)
    groups = sum(n for role, _, n in rows if role == GROUPS)
    people = [row for row in rows if row[0] != GROUPS]
    known = [row for row in people if row[1] != PENDING]

    def among(rows: list[Any], role: str, *statuses: str) -> int:
        return sum(n for kind, status, n in rows if kind == role and (not statuses or status in statuses))

    return {
        "total_users": sum(n for *_, n in known),
        "mentors": among(known, Role.MENTOR),
        "mentors_active": among(people, Role.MENTOR, ACTIVE),
        "mentors_pending": among(people, Role.MENTOR, PENDING),
        "students": among(known, Role.STUDENT),
        "students_pending": among(people, Role.STUDENT, PENDING),
        "active_groups": groups,
    }
