"""Signs on messages: set and taken back, each a change of the message that its readers hear of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from chat.access import reader
from chat.models import Message, Reaction
from chat.realtime import Kind, publish_on_commit
from chat.services.holding import held_message, hold_message
from core.refusals import Missing

if TYPE_CHECKING:
    from users.models import User


@transaction.atomic(durable=True)
def react(message: Message, *, by: User, sign: str, is_set: bool) -> Message:
    """Set a sign on a message, or take it back. The same again changes nothing.

    Raises Missing (404) where the message is not in sight any more, and what ``hold_message`` raises.
    Durable, holds the message and what is before it.
    """
    message, conversation, group, by, _ = hold_message(message, by=by)
    if not reader(by, group).sees(message.sight, author_id=message.author_id):
        raise Missing
    if not write(message, by=by, sign=sign, is_set=is_set):
        return message
    conversation.save_change(message)
    message = held_message(message)
    publish_on_commit(Kind.UPDATED, message, group=group, before=message.sight)
    return message


def write(message: Message, *, by: User, sign: str, is_set: bool) -> bool:
    """Return whether anything changed."""
    mine = Reaction.objects.filter(message=message, user=by, sign=sign)
    if is_set:
        return not mine.exists() and bool(Reaction.objects.create(message=message, user=by, sign=sign))
    return bool(mine.delete()[0])
