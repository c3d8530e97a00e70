"""Who may be in a conversation: whoever sees its group. Outsiders of one that exists are told so (D12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat.models import Message
from core.refusals import Forbidden, Missing
from groups.access import can_moderate
from groups.models import Group

if TYPE_CHECKING:
    from django.db.models import Subquery

    from groups.models.teams import GroupQuerySet
    from users.models import User


class Outside(Forbidden):
    """The group is there, and not for this person (403)."""

    sentence = "You are not in this group."


@dataclass(frozen=True)
class Reader:
    """Somebody in a conversation: what they are shown depends on nothing else."""

    user_id: int
    is_moderator: bool

    def sees(self, sight: str, *, author_id: int | None) -> bool:
        """Tell whether a message with that sight stands in the conversation for them."""
        own = sight == Message.Sight.AUTHOR and author_id == self.user_id
        return self.is_moderator or own or sight == Message.Sight.ALL


def access_conversation(user: User, group_id: str, **beside: Subquery) -> Group:
    """Return the group of a conversation, with its counters and what else is asked beside.

    Raises Outside (403), or Missing (404).
    """
    group: Group | None = conversations_of(user).annotate(**beside).filter(pk=group_id).first()
    if group is None:
        raise Outside if Group.objects.filter(pk=group_id).exists() else Missing
    return group


def conversations_of(user: User) -> GroupQuerySet:
    """Return the groups in whose conversation a person is, with its counters."""
    groups: GroupQuerySet = Group.objects.visible_to(user).select_related("conversation")
    return groups


def reader(user: User, group: Group) -> Reader:
    """Return as what somebody reads; the group came from ``access_conversation``. Asks no database."""
    return Reader(user.pk, can_moderate(user, group))


def may_open(viewer: User, key: str, /) -> bool:
    """Tell whether somebody reads a message, now, on which the upload of that key hangs."""
    messages = Message.objects.filter(attachments__upload__key=key)
    groups = {group.pk: group for group in conversations_of(viewer).filter(messages__in=messages)}
    return any(
        reader(viewer, groups[message.group_id]).sees(message.sight, author_id=message.author_id)
        for message in messages
        if message.group_id in groups
    )
