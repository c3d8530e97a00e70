"""What the groups hold of a person, given out to that person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.roles import Role
from groups.models import Group, GroupMember, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield the groups in which the person is or which they mentor, and the tasks that are theirs."""
    yield "groups", [*memberships_of(user), *mentored_by(user)]
    tasks = Task.objects.filter(assigned_to=user).select_related("milestone").order_by("pk")
    yield (
        "tasks",
        [
            {
                "id": task.pk,
                "groupId": task.milestone.group_id,
                "milestone": task.milestone.title,
                "name": task.name,
                "completed": task.completed,
                "dueDate": task.due_date,
            }
            for task in tasks
        ],
    )


def memberships_of(user: User) -> list[dict[str, Any]]:
    rows = GroupMember.objects.filter(user=user).select_related("group").order_by("joined_at", "pk")
    return [
        {"id": row.group_id, "name": row.group.name, "role": row.role, "joinedAt": row.joined_at}
        for row in rows
    ]


def mentored_by(user: User) -> list[dict[str, Any]]:
    """Return the groups that name the person as their mentor; since when is not written down."""
    groups = Group.objects.filter(mentor=user).order_by("pk")
    return [{"id": row.pk, "name": row.name, "role": Role.MENTOR, "joinedAt": None} for row in groups]
