"""Finding the groups that need attention: silent, without a mentor, or with tasks that are overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.tracks import on_track
from groups.models import Group
from groups.models.health import Finding, Problem, silent_since

if TYPE_CHECKING:
    from collections.abc import Sequence


def examine(*, track: str, silent_days: int) -> list[Finding]:
    """Look at every active group of a track, the longest silent first, in one query.

    Silent is one in which nothing has happened for so many days; without a mentor is also one whose
    mentor may not mentor any more.
    """
    since = silent_since(silent_days)
    groups: Any = Group.objects.active().filter(on_track(track)).with_health()
    rows = groups.order_by("last_activity_at", "sort_key", "pk")
    seen = rows.values_list("pk", "last_activity_at", "without_mentor", "has_overdue")
    # Silence is judged here: the database would look for the last activity twice.
    return [finding(pk, silent=at < since, no_mentor=lacks, overdue=late) for pk, at, lacks, late in seen]


def finding(group_id: str, **is_there: bool) -> Finding:
    return Finding(group_id, frozenset(Problem(name) for name, found in is_there.items() if found))


def numbers_of(findings: Sequence[Finding]) -> dict[str, int]:
    """Count all groups that were looked at, and those that have each problem."""
    counts = {problem.value: len(having(findings, problem)) for problem in Problem}
    return {"active": len(findings), **counts}


def having(findings: Sequence[Finding], problem: str | None) -> list[Finding]:
    """Keep the groups that have a problem; where none is named, those that have any."""
    wanted = {Problem(problem)} if problem else set(Problem)
    return [found for found in findings if found.problems & wanted]


def described(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the groups themselves beside what is wrong with them, in the same order, in one query."""
    groups: Any = Group.objects.filter(pk__in=[found.group_id for found in findings])
    by_id = groups.with_summary().with_progress().in_bulk()
    # One may have been archived since it was looked at.
    present = [found for found in findings if found.group_id in by_id]
    return [
        {"group": by_id[found.group_id], **{problem.value: problem in found.problems for problem in Problem}}
        for found in present
    ]
