"""As what somebody is in a conversation, in one query that is put into words once for each kind of person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Exists, OuterRef

from chat.access import conversation_for, let_in, reader
from groups.asking import ByKind
from groups.models import Group, GroupMember

if TYPE_CHECKING:
    from chat.access import Reader
    from groups.models.teams import GroupQuerySet
    from users.models import User


class Standing(NamedTuple):
    """A group with its counters, as what somebody reads there, and whether they are of it."""

    group: Group
    reader: Reader
    is_of_group: bool


def standing_of(user: User, group_id: str) -> Standing:
    """Return as what the person is in the conversation. Raises Outside (403), or Missing (404)."""
    group: Any = let_in(user, group_id, STANDING)
    return Standing(group, reader(user, group), group.is_member or group.mentor_id == user.pk)


def with_membership(viewer: Any) -> GroupQuerySet:
    members = GroupMember.objects.filter(group=OuterRef("pk"), user=viewer)
    return conversation_for(viewer).annotate(is_member=Exists(members))


STANDING: Final = ByKind(with_membership)
