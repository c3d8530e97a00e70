"""Groups for tests."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from groups.models import Group, GroupMember

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
