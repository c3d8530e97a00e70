"""Posting: one message for each name that its client gave it, in one order for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from chat.access import access_conversation, reader
from chat.models import Message, MessageAttachment
from chat.realtime import Kind, publish_on_commit
from chat.services.attachments import attachments_of, key_of
from chat.services.history import revision_of
from chat.services.holding import hold_conversation
from chat.services.mentions import people_named, write_mentions
from core.idempotency import digests
from core.limits import pour, pour_back
from core.refusals import Refused, TooMany
from core.watching import metrics

if TYPE_CHECKING:
    from chat.models import Conversation
    from chat.models.messages import MessageQuerySet
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


FRAMES_BURST: Final = 120
FRAMES_PER_SECOND: Final = 10


@dataclass(frozen=True)
class Draft:
    """What somebody wants to post, already validated."""

    text: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    client_id: str = ""
    reply_to_id: int | None = None

    @property
    def digests(self) -> list[str]:
        """What stands for the content: the same name must come with the same, by whichever link."""
        files = [
            {**file, "file_url": key_of(file["file_url"]) or file["file_url"]} for file in self.attachments
        ]
        return digests(orjson.dumps([self.text, files, self.reply_to_id]))


@dataclass(frozen=True)
class Parts:
    """What a draft asks for, as it was when the conversation was at that revision."""

    revision: int
    files: list[MessageAttachment]
    quote: Message | None


def post_message(*, group_id: str, author: User, draft: Draft) -> tuple[Message, bool]:
    """Store a message with its attachments and, once committed, tell the group's sockets.

    Returns the message and whether it is new: the same ``client_id`` with the same content finds the
    one that it stood for. Raises ClientIdReused (422), NotOurFile and WrongQuote (400), TooMany (429),
    and what ``hold_conversation`` raises. Durable: on return the row is committed and the room was rung.

    A token pays for what is stored and nothing else. It is taken before the lock: nobody waits in a
    conversation for the store of the budgets.
    """
    known: Any = named_so(draft, OuterRef("pk"), author=author).values("pk")
    group: Any = access_conversation(author, group_id, known=Subquery(known))
    if group.known is not None:
        return posted_before(draft, group.known, group=group), False
    parts = parts_of(draft, group=group, author=author)
    charge(author)
    is_new = False
    try:
        message, is_new = store_while_people_go(draft, parts, group_id, author=author)
    finally:
        if not is_new:
            pour_back(bucket_of(author), per_second=settings.CHAT_PER_SECOND)
    metrics.messages_posted.inc(is_new)
    return message, is_new


def name_by(key: str) -> str:
    """Return a message's name by its ``Idempotency-Key``: a digest, since a key may say whose it is."""
    return sha256(key.encode()).hexdigest()


def admit_frame(user_id: int) -> None:
    """Take one of the frames that a person may send, whatever comes of it: even a refusal asks the database.

    Raises TooMany (429). Requests are counted by ``core.throttling``.
    """
    if wait := pour(f"chat-frames:{user_id}", burst=FRAMES_BURST, per_second=FRAMES_PER_SECOND):
        metrics.throttled.labels("chat-frames").inc()
        raise TooMany(wait)


def charge(author: User) -> None:
    """Take one message from a person's bucket, which all their sockets and requests share."""
    if wait := pour(bucket_of(author), burst=settings.CHAT_BURST, per_second=settings.CHAT_PER_SECOND):
        metrics.throttled.labels("chat").inc()
        raise TooMany(wait)


def bucket_of(author: User) -> str:
    return f"chat:{author.pk}"


def named_so(draft: Draft, group: Any, *, author: User) -> MessageQuerySet:
    """Return the author's message of that name; at most one, since names are unique."""
    rows = Message.objects.filter(group=group, author=author, client_id=draft.client_id).order_by()
    return rows if draft.client_id else rows.none()


def posted_before(draft: Draft, known: int, *, group: Group) -> Message:
    """Return the message that the draft's name stands for. Raises ClientIdReused (422)."""
    message = Message.objects.with_details().get(pk=known)
    if message.client_digest not in draft.digests:
        raise ClientIdReused
    message.group = group
    return message


def parts_of(draft: Draft, *, group: Group, author: User) -> Parts:
    """Look up what the draft asks for. Raises NotOurFile and WrongQuote (400)."""
    files = attachments_of(author, draft.attachments)
    return Parts(revision_of(group), files, quoted(draft, group=group, author=author))


def store_while_people_go(draft: Draft, parts: Parts, group_id: str, *, author: User) -> tuple[Message, bool]:
    """Store the message, once more where it pointed at somebody who was being erased at that moment."""
    try:
        return store_once(draft, parts, group_id, author=author)
    except IntegrityError:
        return store_once(draft, parts, group_id, author=author)


@transaction.atomic(durable=True)
def store_once(draft: Draft, parts: Parts, group_id: str, *, author: User) -> tuple[Message, bool]:
    """Store the message, or find that it was stored while the lock was waited for."""
    conversation, group, author = hold_conversation(group_id, by=author)
    quote = parts.quote
    if conversation.last_revision != parts.revision:
        known = named_so(draft, group, author=author).values_list("pk", flat=True).first()
        if known is not None:
            return posted_before(draft, known, group=group), False
        quote = quoted(draft, group=group, author=author)
    message = Message(group=group, author=author, text=draft.text, client_id=draft.client_id, reply_to=quote)
    message.client_digest = draft.digests[0] if draft.client_id else ""
    store(message, parts.files, conversation)
    publish_on_commit(Kind.CREATED, message, group=group, before=Message.Sight.MODERATORS)
    return message, True


def store(message: Message, files: list[MessageAttachment], conversation: Conversation) -> None:
    message.reaction_rows, message.mention_ids = [], []
    message.save_into(conversation)
    for file in files:
        file.message = message
    if files:
        MessageAttachment.objects.bulk_create(files)
    message.keep_attachments(files)
    write_mentions(message, people_named(message.text, message.group_id))


def quoted(draft: Draft, *, group: Group, author: User) -> Message | None:
    if draft.reply_to_id is None:
        return None
    rows = Message.objects.filter(group=group).select_related("author").with_times_quoted()
    readable = rows.readable(author, as_moderator=reader(author, group).is_moderator)
    message = readable.filter(pk=draft.reply_to_id).first()
    if message is None:
        raise WrongQuote(field="replyTo")
    if message.times_quoted >= Message.QUOTES:
        raise WrongQuote("This message has been quoted too often.", field="replyTo")
    return message
