"""A message as JSON: once for all readers, then for each class of them (D20).

The document goes over the channel layer as it is, so it holds plain JSON alone (B60).
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from core.roles import FORMER_MEMBER

if TYPE_CHECKING:
    from datetime import datetime

    from chat.access import Reader
    from chat.models import Message, MessageAttachment
    from core.uploads.links import Links
    from users.models import User

Document = dict[str, Any]

REMOVED: Final = "This message was removed."
EXCERPT: Final = 200  # characters of a quote
MODERATORS: Final = "moderators"
NOBODY: Final = {"id": 0, "name": FORMER_MEMBER}


def document_of(message: Message) -> Document:
    """Return all that is told of a message to anybody; ``render`` leaves out what is not for a reader."""
    return {
        "id": message.pk,
        "author": author_of(message),
        "text": message.text,
        "timestamp": moment(message.created_at),
        "attachments": [attached(row) for row in message.attachments.all()],
        "isDeleted": message.sight == message.Sight.MODERATORS,
        "deletedAt": moment(message.deleted_at),
        "deletedBy": message.deleted_by_id,
        "moderation": {
            "status": message.moderation_status,
            "note": message.moderation_note or None,
            "moderatedAt": moment(message.moderated_at),
            "moderatedBy": message.moderated_by_id,
        },
        "editedAt": moment(message.edited_at),
        "seq": message.seq,
        "revision": message.revision,
        "clientId": message.client_id or None,
        "replyTo": quote_of(message.reply_to),
        "reactions": reactions_of(message),
        "mentions": sorted(message.mention_ids or []),
    }


def quote_of(message: Message | None) -> Document | None:
    """Return a quoted message, with in whose sight it is: ``render`` takes that out."""
    if message is None:
        return None
    text, sight = message.text[:EXCERPT], str(message.sight)
    return {"id": message.pk, "author": author_of(message), "text": text, "sight": sight}


def reactions_of(message: Message) -> list[Document]:
    rows = sorted((row["sign"], row["user"]) for row in message.reaction_rows or [])
    return [
        {"sign": sign, "userIds": [user for _, user in those]} for sign, those in groupby(rows, itemgetter(0))
    ]


def render(document: Document, reader: Reader, *, sight: str) -> Document:
    """Return the document as that reader gets it: whole, or the tombstone of what is not for them."""
    author_id = document["author"]["id"]
    is_author = author_id == reader.user_id
    document = {**document, "replyTo": quote_for(document["replyTo"], reader)}
    if not reader.sees(sight, author_id=author_id):
        return tombstone(document)
    moderation = document["moderation"]
    if not (reader.is_moderator or is_author):
        moderation = {**moderation, "note": None}
    return {**document, "moderation": moderation, "clientId": document["clientId"] if is_author else None}


def quote_for(quote: Document | None, reader: Reader) -> Document | None:
    if quote is None:
        return None
    sees = reader.sees(quote["sight"], author_id=quote["author"]["id"])
    shown = {"id": quote["id"], "author": quote["author"], "text": quote["text"] if sees else REMOVED}
    return {**shown, "isDeleted": not sees or quote["sight"] == MODERATORS}


def tombstone(document: Document) -> Document:
    """Return what is left of a message for those who may not read it: its place."""
    return {
        **document,
        "text": REMOVED,
        "attachments": [],
        "isDeleted": True,
        "deletedBy": None,
        "editedAt": None,
        "moderation": {**document["moderation"], "note": None, "moderatedAt": None, "moderatedBy": None},
        "clientId": None,
        "replyTo": None,
        "reactions": [],
        "mentions": [],
    }


def with_links(document: Document, links: Links) -> Document:
    """Return a rendered document with links to its files, for the one who signs them."""
    return {**document, "attachments": [linked(file, links) for file in document["attachments"]]}


def linked(file: Document, links: Links) -> Document:
    """Return an attachment with a link to it; one that lies elsewhere has its own."""
    return {**file, "file_url": links.to(file["file_url"])} if is_stored(file) else file


def is_stored(file: Document) -> bool:
    return "://" not in file["file_url"]


def author_of(message: Message) -> Document:
    return person(message.author) if message.author else dict(NOBODY)


def person(user: User) -> Document:
    """Return somebody as everybody in a conversation reads them: without an address."""
    return {"id": user.pk, "name": user.display_name}


def attached(row: MessageAttachment) -> Document:
    """Return a file as it stands in a document: by its key, which ``with_links`` turns into a link (D20)."""
    return {
        "file_url": row.file_url,
        "filename": row.filename,
        "file_size": row.file_size,
        "mime_type": row.mime_type,
    }


def moment(value: datetime | None) -> str | None:
    """Return ISO 8601 in UTC with ``Z``: clients send it back as a cursor."""
    return value.isoformat().replace("+00:00", "Z") if value else None
