"""Who may be in a conversation: whoever sees its group. Outsiders of one that exists are told so (D12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from chat.models import Message
from core.refusals import Forbidden, Missing, Refused
from groups.access import can_moderate
from groups.asking import GROUP, ByKind
from groups.models import Group

if TYPE_CHECKING:
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


def conversations_of(user: User) -> GroupQuerySet:
    """Return the groups in whose conversation a person is, with its counters."""
    groups: GroupQuerySet = Group.objects.visible_to(user).select_related("conversation")
    return groups


def conversation_for(viewer: Any) -> GroupQuerySet:
    """Return the one group ``GROUP``, where anybody is in its conversation, for a question of theirs."""
    return conversations_of(viewer).filter(pk=GROUP).order_by()


SEEN: Final = ByKind(conversation_for)


def access_conversation(user: User, group_id: str) -> Group:
    """Return the group of a conversation, with its counters. Raises Outside (403), or Missing (404)."""
    return let_in(user, group_id, SEEN)


def let_in(user: User, group_id: str, question: ByKind, **values: Any) -> Group:
    """Do the same, with what else the question asks; it is one about ``conversation_for``."""
    group: Group | None = question.of(user).object(viewer=user.pk, group=group_id, **values)
    if group is None:
        raise refusal_of(group_id)
    return group


def refusal_of(group_id: str) -> Refused:
    """Return why somebody is not let into a conversation that they do not see."""
    return Outside() if Group.objects.filter(pk=group_id).exists() else Missing()


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
