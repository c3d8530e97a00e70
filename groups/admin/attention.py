"""What is wrong with groups, as a filter of their list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from core.admin.filters import NeedsFilter
from groups.models.health import SILENT_DAYS, Problem

if TYPE_CHECKING:
    from groups.models.teams import GroupQuerySet


def having(groups: GroupQuerySet, problem: Problem) -> GroupQuerySet:
    return groups.having(problem)


class GroupsNeedFilter(NeedsFilter):
    """Active groups with a problem: those that the API lists as groups that need attention."""

    rules: ClassVar = {
        Problem.NO_MENTOR.value: ("Without a mentor", partial(having, problem=Problem.NO_MENTOR)),
        Problem.SILENT.value: (f"Silent for {SILENT_DAYS} days", partial(having, problem=Problem.SILENT)),
        Problem.OVERDUE.value: ("With overdue tasks", partial(having, problem=Problem.OVERDUE)),
    }
