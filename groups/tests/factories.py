"""Groups and their plans for tests."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from groups.models import Group, GroupMember, Milestone, MilestoneTemplate, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from users.models import User

numbers = count(1)


def make_group(*, members: Iterable[User] = (), **fields: Any) -> Group:
    """Return a stored group with an id and a name of its own, and those people in it."""
    number = next(numbers)
    group: Group = Group.objects.create(**{"id": f"TEST{number:03}", "name": f"Team {number}", **fields})
    for user in members:
        GroupMember.objects.create(group=group, user=user)
    return group


def make_milestone(group: Group, **fields: Any) -> Milestone:
    """Return a stored milestone, the last one of the group."""
    place = {"order_index": group.milestones.count() + 1}
    milestone: Milestone = Milestone.objects.create(group=group, **{"title": "Grow", **place, **fields})
    return milestone


def make_task(milestone: Milestone, **fields: Any) -> Task:
    """Return a stored task, the last one of the milestone."""
    task: Task = Task.objects.create(milestone=milestone, **{"name": "Pour", **fields})
    return task


def make_template(milestones: int = 1, **fields: Any) -> MilestoneTemplate:
    """Return a stored template: its nth milestone is due n weeks after the start, and has one task."""
    template = MilestoneTemplate.objects.create(**{"name": f"Plan {next(numbers)}", **fields})
    for n in range(1, milestones + 1):
        milestone = template.milestones.create(title=f"Step {n}", order_index=n, due_after_days=7 * n)
        milestone.tasks.create(name="Read", place=1, due_after_days=0)
    return template
