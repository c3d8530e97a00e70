"""What a person's own calendar shows of their groups: when open tasks are due."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid5

from core.registry import CalendarEntry
from groups.models import Group, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User

MOST_TASKS: Final = 2_000  # what a whole group may have


def entries_of(user: User, /) -> Iterator[CalendarEntry]:
    """Yield the open tasks with a due date in the groups in which one is, or which one mentors."""
    tasks = Task.objects.of_groups(Group.objects.of(user)).filter(
        completed=False, due_date__isnull=False, milestone__removed_at=None
    )
    rows = tasks.select_related("milestone__group").order_by("-due_date", "-pk")[:MOST_TASKS]
    return (entry_of(task) for task in rows)


def entry_of(task: Task) -> CalendarEntry:
    group, due = task.milestone.group, task.due_date or date.max
    # The words of all three are shown.
    revised_at = max(task.updated_at, task.milestone.updated_at, group.updated_at)
    return CalendarEntry(
        uid=str(uuid5(group.room, f"task {task.pk}")),
        title=f"Due: {task.name}",
        start=due,
        end=due + timedelta(days=1) if due < date.max else None,
        description=f"{group.name}: {task.milestone.title}",
        sequence=max(0, int((revised_at - task.created_at).total_seconds())),
        revised_at=revised_at,
    )
