"""Locks in conversations: people first, then the conversation, then its messages, in the order of their ids.

With the conversation held, once more whether the person may be in it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection, models
from django.db.models import Exists, Q
from django.db.transaction import TransactionManagementError

from chat.access import Outside, conversation_for, let_in
from chat.models import Conversation, Message
from core.preconditions import confirm
from core.prepared import Prepared, Slot
from core.refusals import Missing
from groups.asking import GROUP, ByKind
from users.models import User
from users.services.holding import locked, still_acting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from groups.models import Group
    from groups.models.teams import GroupQuerySet

HELD: Final = Prepared(lambda: Conversation.objects.select_for_update().filter(group=GROUP))
IS_SUPERUSER: Final = Slot("is_superuser", models.BooleanField())


class HeldConversation(NamedTuple):
    """A conversation as it is now, its row locked, with its group and who acts."""

    conversation: Conversation
    group: Group
    by: User


class HeldMessage(NamedTuple):
    """A message as it is now, its row locked, with what was locked before it."""

    message: Message
    conversation: Conversation
    group: Group
    by: User
    people: set[int]


def hold_conversation(group_id: str, *, by: User) -> HeldConversation:
    """Lock the conversation, and return it and who acts as they are now.

    Enough for what adds rows. Raises Outside (403) and Missing (404) where the person is not, or not any
    more, in the group, or it has gone; SignedOut (401) where they may not act any more, Forbidden (403)
    where they are no admin any more.
    """
    # Of a prepared query Django asks that once, when it puts it into words.
    if not connection.in_atomic_block:
        raise TransactionManagementError("A conversation is held until the end of a transaction.")
    conversation = HELD.object(group=group_id)
    # After the lock, in a statement of its own: it must see what was committed meanwhile.
    group, by = let_in_still(by, group_id, STILL)
    return HeldConversation(conversation or Conversation.objects.hold(group_id), group, by)


def let_in_still(by: User, group_id: str, question: ByKind, **values: Any) -> tuple[Group, User]:
    """Return the group, and who acts, as they are now; the question is one about ``still_in_conversation``.

    Raises what ``hold_conversation`` raises.
    """
    try:
        return let_in(by, group_id, question, is_superuser=by.is_superuser, **values), by
    except (Outside, Missing):
        # Not locked: people come before conversations.
        by = still_acting(by, User.objects.filter(pk=by.pk).first())
        return let_in(by, group_id, question, is_superuser=by.is_superuser, **values), by


def still_in_conversation(viewer: Any) -> GroupQuerySet:
    """Return the one group, where anybody is in its conversation, and may still act as what they were."""
    person: Any = SimpleNamespace(pk=viewer, role=viewer.role, is_superuser=IS_SUPERUSER)
    return conversation_for(viewer).filter(Exists(User.objects.still(person)))


STILL: Final = ByKind(still_in_conversation)


def hold_message(message: Message, *, by: User, beside: Iterable[int] = ()) -> HeldMessage:
    """Lock who acts and people beside them (by id), then the conversation, then the message.

    Erasing somebody holds their row and then waits for messages: whom a change points at is locked before
    the message is. Raises what ``hold_conversation`` and ``confirm`` raise; Missing (404) where the
    message has gone.
    """
    people = {row.pk: row for row in locked(Q(pk__in={by.pk, *beside}))}
    by = still_acting(by, people.get(by.pk))
    conversation, group, by = hold_conversation(message.group_id, by=by)
    held = HeldMessage(held_message(message), conversation, group, by, set(people))
    confirm()
    return held


def held_message(message: Message) -> Message:
    """Lock a message, and return it as it is now; its conversation must be held. Raises Missing (404)."""
    rows = Message.objects.with_details().select_for_update(of=("self",), no_key=True)
    found = rows.filter(pk=message.pk).first()
    if found is None:
        raise Missing
    return found
