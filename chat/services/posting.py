"""Posting: one message for each name that its client gave it, in one order for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction

from chat.access import let_in, reader
from chat.models import Conversation, Message, MessageAttachment
from chat.realtime import Kind, publish_on_commit
from chat.services.attachments import attachments_of, key_of
from chat.services.holding import hold_conversation, let_in_still
from chat.services.mentions import SIGN, named_in, write_mentions
from chat.services.questions import BEFORE, BEFORE_QUOTING, people_in, quote_in, still
from core.idempotency import digests
from core.limits import pour, pour_back
from core.refusals import Missing, Refused, TooMany
from core.watching import metrics

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User
    from users.names import Somebody


class ClientIdReused(Refused):
    """The author gave this name to another message (422)."""

    status = 422
    code = "client_id_reused"
    sentence = "This clientId stands for another message. Use a new one for each message."


class WrongQuote(Refused):
    """A message that is not in this conversation, or not for this person, to be quoted (400)."""

    code = "validation_error"
    sentence = "There is no such message in this conversation."


class PostedMeanwhile(Exception):
    """The message of that name has been stored by another request."""

    def __init__(self, message_id: int, group: Group) -> None:
        super().__init__()
        self.message_id, self.group = message_id, group


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


def post_message(*, group_id: str, author: User, draft: Draft) -> tuple[Message, bool]:
    """Store a message with its attachments and, once committed, tell the group's sockets.

    Returns the message and whether it is new: the same ``client_id`` with the same content finds the
    one that it stood for. Raises ClientIdReused (422), NotOurFile and WrongQuote (400), TooMany (429),
    and what ``hold_conversation`` raises. Durable: on return the row is committed and the room was rung.

    A token pays for what is stored and nothing else. It is taken before the lock: nobody waits in a
    conversation for the store of the budgets. What is quoted is judged before both, so that a refusal
    holds nobody up, and once more with the lock held.
    """
    question = BEFORE if draft.reply_to_id is None else BEFORE_QUOTING
    group: Any = let_in(author, group_id, question, client_id=draft.client_id, quoted=draft.reply_to_id)
    if group.known is not None:
        return posted_before(draft, group.known, group=group), False
    files = attachments_of(author, draft.attachments)
    quote_of(draft, group, author=author)
    charge(author)
    is_new = False
    try:
        message, is_new = store_while_people_go(draft, files, group_id, author=author), True
    except PostedMeanwhile as found:
        message = posted_before(draft, found.message_id, group=found.group)
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


def posted_before(draft: Draft, known: int, *, group: Group) -> Message:
    """Return the message that the draft's name stands for.

    Raises ClientIdReused (422), and Missing (404) where it went meanwhile, with its group.
    """
    message = Message.objects.with_details().filter(pk=known).first()
    if message is None:
        raise Missing
    if message.client_digest not in draft.digests:
        raise ClientIdReused
    message.group = group
    return message


def store_while_people_go(
    draft: Draft, files: list[MessageAttachment], group_id: str, *, author: User
) -> Message:
    """Store the message, once more where it pointed at somebody who was being erased at that moment."""
    try:
        return store_once(draft, files, group_id, author=author)
    except IntegrityError:
        return store_once(draft, files, group_id, author=author)


@transaction.atomic(durable=True)
def store_once(draft: Draft, files: list[MessageAttachment], group_id: str, *, author: User) -> Message:
    """Store the message. Raises PostedMeanwhile where it was stored while the lock was waited for."""
    conversation = step(group_id, by=author)
    # After the lock, in a statement of its own: it must see what was committed meanwhile.
    asked = {"client_id": draft.client_id, "quoted": draft.reply_to_id}
    question = still(quotes=draft.reply_to_id is not None, names=SIGN in draft.text)
    found, author = let_in_still(author, group_id, question, **asked)
    group: Any = found
    if group.known is not None:
        raise PostedMeanwhile(group.known, group)
    quote = quote_of(draft, group, author=author)
    message = Message(group=group, author=author, text=draft.text, client_id=draft.client_id, reply_to=quote)
    message.client_digest = draft.digests[0] if draft.client_id else ""
    store(message, files, people_in(group) if SIGN in draft.text else [], conversation)
    publish_on_commit(Kind.CREATED, message, group=group, before=Message.Sight.MODERATORS)
    return message


def step(group_id: str, *, by: User) -> Conversation:
    """Lock a conversation's counters, and move them on by a message. Whether it may be is asked next."""
    if (conversation := Conversation.objects.step(group_id)) is None:
        hold_conversation(group_id, by=by)
        conversation = Conversation.objects.step(group_id)
    if conversation is None:
        raise Missing
    return conversation


def store(
    message: Message, files: list[MessageAttachment], people: list[Somebody], conversation: Conversation
) -> None:
    message.reaction_rows, message.mention_ids = [], []
    message.save_at(conversation)
    for file in files:
        file.message = message
    if files:
        MessageAttachment.objects.bulk_create(files)
    message.keep_attachments(files)
    write_mentions(message, named_in(message.text, people))


def quote_of(draft: Draft, group: Any, *, author: User) -> Message | None:
    """Return what the draft quotes. Raises WrongQuote (400)."""
    if draft.reply_to_id is None:
        return None
    quote = quote_in(group)
    if quote is None or not reader(author, group).sees(quote.sight, author_id=quote.author_id):
        raise WrongQuote(field="replyTo")
    if group.times_quoted >= Message.QUOTES:
        raise WrongQuote("This message has been quoted too often.", field="replyTo")
    return quote
