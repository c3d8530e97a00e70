"""Locks on conversations; with one held, once more whether the person may be in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Exists

from chat.access import access_conversation, conversations_of
from chat.models import Conversation, Message
from core.refusals import Missing
from users.models import User
from users.services.holding import acting

if TYPE_CHECKING:
    from groups.models import Group


class HeldConversation(NamedTuple):
    """A conversation as it is now, its row locked, with its group and who acts."""

    conversation: Conversation
    group: Group
    by: User


def hold_conversation(group_id: str, *, by: User) -> HeldConversation:
    """Lock who acts and the conversation, and return them as they are now.

    Raises Outside (403) and Missing (404) where the person is not, or not any more, in the group, or it
    has gone; and what ``acting`` raises.
    """
    conversation = Conversation.objects.select_for_update().filter(group_id=group_id).first()
    # After the lock, in a statement of its own: it must see what was committed meanwhile.
    group = conversations_of(by).filter(Exists(User.objects.still(by)), pk=group_id).first()
    if group is None:
        by = acting(by)
        group = access_conversation(by, group_id)
    return HeldConversation(conversation or Conversation.objects.hold(group_id), group, by)


def held_message(message: Message) -> Message:
    """Return a message as it is now; its conversation must be held. Raises Missing (404)."""
    found = Message.objects.with_details().filter(pk=message.pk).first()
    if found is None:
        raise Missing
    return found
