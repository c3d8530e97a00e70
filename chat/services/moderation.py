"""Changing what was posted: by its author for a while, by moderators at any time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat.access import reader
from chat.models import Message
from chat.models.lines import EXCERPT
from chat.realtime import Kind, publish_on_commit
from chat.services.holding import held_message, hold_message
from chat.services.mentions import people_mentioned, people_named, write_mentions
from core import audit
from core.preconditions import confirm_anew
from core.refusals import Forbidden, Missing, Refused
from groups.access import can_moderate

if TYPE_CHECKING:
    from chat.models import Conversation
    from groups.models import Group
    from users.models import User


class EditWindowOver(Forbidden):
    """An author's time to change their own message has run out (403)."""

    code = "edit_window_over"
    sentence = "This message cannot be changed any more."


class NotYourMessage(Forbidden):
    """Nobody changes what another has said (403)."""

    sentence = "Only its author can change a message's text."


class EmptyMessage(Refused):
    """Neither text nor file (400)."""

    code = "validation_error"
    sentence = "Write a text, or attach a file."


class MentionsOvertaken(Exception):
    """Another edit came first, and named somebody who is not locked."""


def change_message(message: Message, *, by: User, values: dict[str, Any]) -> Message:
    """Edit one's own ``text`` (D24), or moderate: ``moderation_status``, ``moderation_note``, ``restore``.

    Raises NotYourMessage, EditWindowOver, Forbidden (403), EmptyMessage (400), Missing (404), and what
    ``hold_message`` raises. Durable, holds whom the text names or named, and the message; the sockets hear
    of it.
    """
    try:
        return change_once(message, by=by, values=values)
    except MentionsOvertaken:
        confirm_anew()
        return change_message(message, by=by, values=values)


@transaction.atomic(durable=True)
def change_once(message: Message, *, by: User, values: dict[str, Any]) -> Message:
    named = people_named(values.get("text", ""), message.group_id)
    beside = named | people_mentioned(message) if "text" in values else set()
    message, conversation, group, by, people = hold_message(message, by=by, beside=beside)
    before, quoted = message.sight, shown_in_quotes(message)
    if not reader(by, group).sees(before, author_id=message.author_id):
        raise Missing  # removed since it was looked up: what moderators judge stays as it was
    if "text" in values:
        edit(message, values["text"], by=by)
        if not beside.issuperset(message.mention_ids or []):
            raise MentionsOvertaken
        write_mentions(message, named & people)
    if values.keys() - {"text"}:
        moderate(message, values, group=group, by=by)
    conversation.save_change(message)
    publish_on_commit(Kind.UPDATED, message, group=group, before=before)
    if shown_in_quotes(message) != quoted:
        renew_quotes(message, conversation, group=group)
    return message


def shown_in_quotes(message: Message) -> tuple[str, str]:
    return message.text[:EXCERPT], message.sight


def renew_quotes(message: Message, conversation: Conversation, *, group: Group) -> None:
    """Let what quotes a changed message be a change too: screens that show the quote hear of it.

    Sockets are told of the last one alone: they read the others, which lie before it. What is removed or
    rejected is on no screen but moderators', and when it comes back that is a change of its own.
    """
    rows = Message.objects.select_for_update(no_key=True).filter(reply_to=message).in_sight_of_some()
    quoting = list(rows.order_by("pk"))
    if not quoting:
        return
    for row in quoting:
        conversation.register_change(row)
    Message.objects.bulk_update(quoting, ["revision", "was_shown"], batch_size=100)
    conversation.save()
    last = held_message(quoting[-1])
    publish_on_commit(Kind.UPDATED, last, group=group, before=last.sight)


def edit(message: Message, text: str, *, by: User) -> None:
    if message.author_id != by.pk:
        raise NotYourMessage
    check_window(message)
    if not text and not message.attachments.all():
        raise EmptyMessage(field="text")
    message.text, message.edited_at = text, timezone.now()


def moderate(message: Message, values: dict[str, Any], *, group: Group, by: User) -> None:
    if not can_moderate(by, group):
        raise Forbidden
    if values.get("restore"):
        message.is_deleted, message.deleted_at, message.deleted_by = False, None, None
    message.moderation_status = values.get("moderation_status", message.moderation_status)
    message.moderation_note = values.get("moderation_note", message.moderation_note)
    message.moderated_at, message.moderated_by = timezone.now(), by
    changes = {
        "status": message.moderation_status,
        "restored": bool(values.get("restore")),
        "group": group.pk,
    }
    audit.record("message_moderated", actor=by, target=message, changes=changes)


@transaction.atomic(durable=True)
def remove_message(message: Message, *, by: User) -> Message:
    """Hide a message: its moderators at any time, its author for a while. Again is harmless.

    Raises EditWindowOver and Forbidden (403), and what ``hold_message`` raises. Durable, holds the message;
    the sockets hear of it.
    """
    message, conversation, group, by, _ = hold_message(message, by=by)
    check_removal(message, group=group, by=by)
    if message.is_deleted:
        return message
    before = message.sight
    message.is_deleted, message.deleted_at, message.deleted_by = True, timezone.now(), by
    conversation.save_change(message)
    audit.record("message_removed", actor=by, target=message, changes={"group": group.pk})
    publish_on_commit(Kind.DELETED, message, group=group, before=before)
    renew_quotes(message, conversation, group=group)
    return message


def check_removal(message: Message, *, group: Group, by: User) -> None:
    if can_moderate(by, group):
        return
    if message.author_id != by.pk:
        raise Forbidden
    if not message.is_deleted:
        check_window(message)


def check_window(message: Message) -> None:
    if timezone.now() - message.created_at > timedelta(minutes=settings.MESSAGE_EDIT_MINUTES):
        raise EditWindowOver
