"""What the groups hold of a person: given out to that person, and freed of them at erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from core.roles import Role
from groups.models import Group, GroupMember, PastMember, Task
from groups.services.holding import recheck_on_commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User

IN_MESSAGES: Final = ("messages__author", "messages__deleted_by", "messages__moderated_by")


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield the groups in which the person is or was or which they mentor, and the tasks that are theirs.

    What is archived or removed is still kept, and is here too.
    """
    yield "groups", [*memberships_of(user), *mentored_by(user), *left_by(user)]
    tasks = Task.everything.filter(assigned_to=user).select_related("milestone").order_by("pk")
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
    return [stay(row.group, row.role, joinedAt=row.joined_at) for row in rows]


def mentored_by(user: User) -> list[dict[str, Any]]:
    """Return the groups that name the person as their mentor."""
    groups = Group.everything.filter(mentor=user)
    return [stay(group, Role.MENTOR, joinedAt=group.mentor_since) for group in groups]


def left_by(user: User) -> list[dict[str, Any]]:
    rows = PastMember.objects.filter(user=user).select_related("group").order_by("left_at", "pk")
    return [stay(row.group, row.role, joinedAt=row.joined_at, leftAt=row.left_at) for row in rows]


def stay(group: Group, role: str, **moments: Any) -> dict[str, Any]:
    return {"id": group.pk, "name": group.name, "role": role, **moments}


def hold_groups(user: User, /) -> None:
    """Lock every group in which something of the person stands, in the order in which all writers do."""
    ids = GroupMember.objects.filter(user=user).order_by().values("group_id")
    ids = ids.union(
        Group.everything.filter(mentor=user).order_by().values("pk"),
        Task.everything.filter(assigned_to=user).order_by().values("milestone__group_id"),
        *(Group.everything.filter(**{path: user}).order_by().values("pk") for path in IN_MESSAGES),
    )
    # Read here: a union cannot be locked.
    held = Group.everything.filter(pk__in=[row["group_id"] for row in ids]).order_by("pk")
    list(held.select_for_update(no_key=True).values_list("pk"))


def keep_places(user: User, /) -> None:
    """Keep, of a person who is erased, that somebody was in their groups: no more than as what, and when.

    Whoever saw a group through them has its sockets ask again whether they may stay.
    """
    recheck_on_commit(*Group.everything.filter(Q(members__user=user) | Q(mentor=user)).distinct())
    places = GroupMember.objects.filter(user=user).values_list("group_id", "role", "joined_at")
    mentored = Group.everything.filter(mentor=user).values_list("pk", "mentor_since")
    PastMember.objects.bulk_create(
        PastMember(group_id=group, role=role, joined_at=since)
        for group, role, since in [*places, *((pk, Role.MENTOR, since) for pk, since in mentored)]
    )
