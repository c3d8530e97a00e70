"""Posting: one message for each name that its client gave it, in one order for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.db import transaction

from chat.access import access_conversation, reader
from chat.models import Message, MessageAttachment
from chat.realtime import Kind, publish_on_commit
from chat.services.attachments import attachments_of
from chat.services.holding import hold_conversation
from chat.services.mentions import write_mentions
from core.idempotency import digests
from core.limits import pour
from core.refusals import Refused, TooMany

if TYPE_CHECKING:
    from chat.models import Conversation
    from groups.models import Group
    from users.models import User


class ClientIdReused(Refused):
    """The author gave this name to another message (422)."""

    status = 422
    code = "client_id_reused"
    sentence = "This clientId stands for another message. Use a new one for each message."


class WrongQuote(Refused):
    """A message that is not in this conversation, or not for this person, to be quoted (400)."""

    code = "validation_error"
    sentence = "There is no such message in this conversation."


@dataclass(frozen=True)
class Draft:
    """What somebody wants to post, already validated."""

    text: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    client_id: str = ""
    reply_to_id: int | None = None

    @property
    def digests(self) -> list[str]:
        """What stands for the content: the same name must come with the same."""
        return digests(orjson.dumps([self.text, self.attachments, self.reply_to_id]))


def post_message(*, group_id: str, author: User, draft: Draft) -> tuple[Message, bool]:
    """Store a message with its attachments and, once committed, tell the group's sockets.

    Returns the message and whether it is new: the same ``client_id`` with the same content finds the
    one that it stood for. Raises ClientIdReused (422), NotOurFile and WrongQuote (400), TooMany (429),
    and what ``hold_conversation`` raises. Durable: on return the row is committed and the room was rung.
    """
    named = Message.objects.filter(group=group_id, author=author, client_id=draft.client_id)
    if draft.client_id and named.exists():
        access_conversation(author, group_id)
        known = posted_before(group_id, author, draft)
        if known is not None:
            return known, False
    charge(author)
    with transaction.atomic(durable=True):
        conversation, group, author = hold_conversation(group_id, by=author)
        # Sent twice at once: the other one has committed while the lock was waited for.
        known = posted_before(group_id, author, draft)
        if known is not None:
            return known, False
        return store(draft, conversation, group=group, author=author), True


def posted_before(group_id: str, author: User, draft: Draft) -> Message | None:
    if not draft.client_id:
        return None
    # Asked twice for each new message, so without the details, which cost several times as much.
    rows = Message.objects.filter(group=group_id, author=author, client_id=draft.client_id).order_by("pk")
    known = rows.values_list("pk", "client_digest").first()
    if known is None:
        return None
    if known[1] not in draft.digests:
        raise ClientIdReused
    return Message.objects.with_details().get(pk=known[0])


def charge(author: User) -> None:
    """Take one message from a person's bucket, which all their sockets and requests share."""
    wait = pour(f"chat:{author.pk}", burst=settings.CHAT_BURST, per_second=settings.CHAT_PER_SECOND)
    if wait:
        raise TooMany(wait)


def store(draft: Draft, conversation: Conversation, *, group: Group, author: User) -> Message:
    files = attachments_of(author, draft.attachments)
    message = Message(group=group, author=author, text=draft.text, client_id=draft.client_id)
    message.client_digest = draft.digests[0] if draft.client_id else ""
    message.reply_to = quoted(draft, group=group, author=author)
    message.reaction_rows, message.mention_ids = [], []
    message.save_into(conversation)
    for file in files:
        file.message = message
    if files:
        MessageAttachment.objects.bulk_create(files)
    message.keep_attachments(files)
    write_mentions(message, group=group)
    publish_on_commit(Kind.CREATED, message, group=group, before=Message.Sight.MODERATORS)
    return message


def quoted(draft: Draft, *, group: Group, author: User) -> Message | None:
    if draft.reply_to_id is None:
        return None
    rows = Message.objects.filter(group=group).select_related("author")
    readable = rows.readable(author, as_moderator=reader(author, group).is_moderator)
    message = readable.filter(pk=draft.reply_to_id).first()
    if message is None:
        raise WrongQuote(field="replyTo")
    if message.replies.count() >= Message.QUOTES:
        raise WrongQuote("This message has been quoted too often.", field="replyTo")
    return message
