"""A message as JSON: once for all readers, then for each class of them (D20).

The document goes over the channel layer as it is, so it holds plain JSON alone (B60).
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from chat.models.lines import Line, line_of
from core.roles import FORMER_MEMBER

if TYPE_CHECKING:
    from datetime import datetime

    from chat.access import Reader
    from chat.models import Message, MessageAttachment
    from chat.models.lines import File, Quote
    from core.uploads.links import Links
    from users.names import Named

Document = dict[str, Any]

REMOVED: Final = "This message was removed."
MODERATORS: Final = "moderators"
NOBODY: Final = {"id": 0, "name": FORMER_MEMBER}


def document_of(message: Message | Line) -> Document:
    """Return all that is told of a message to anybody; ``render`` leaves out what is not for a reader."""
    line = message if isinstance(message, Line) else line_of(message)
    return {
        "id": line.pk,
        "author": author_of(line),
        "text": line.text,
        "timestamp": moment(line.created_at),
        "attachments": [attached(file) for file in line.files],
        "isDeleted": line.sight == MODERATORS,
        "deletedAt": line.deleted_at and moment(line.deleted_at),
        "deletedBy": line.deleted_by_id,
        "moderation": {
            "status": line.moderation_status,
            "note": line.moderation_note or None,
            "moderatedAt": line.moderated_at and moment(line.moderated_at),
            "moderatedBy": line.moderated_by_id,
        },
        "editedAt": line.edited_at and moment(line.edited_at),
        "seq": line.seq,
        "revision": line.revision,
        "clientId": line.client_id or None,
        "replyTo": quote_of(line.quote) if line.quote else None,
        "reactions": reactions_of(line.reaction_rows) if line.reaction_rows else [],
        "mentions": sorted(line.mention_ids) if line.mention_ids else [],
    }


def quote_of(quote: Quote) -> Document:
    """Return a quoted message, with in whose sight it is: ``render`` takes that out."""
    return {"id": quote.pk, "author": author_of(quote), "text": quote.text, "sight": str(quote.sight)}


def reactions_of(rows: list[list[Any]]) -> list[Document]:
    """Return who has set each sign; the rows are pairs of both."""
    return [
        {"sign": sign, "userIds": [user for _, user in those]}
        for sign, those in groupby(sorted(rows), itemgetter(0))
    ]


def render(document: Document, reader: Reader, *, sight: str) -> Document:
    """Return the document as that reader gets it: whole, or the tombstone of what is not for them."""
    author_id = document["author"]["id"]
    is_author = author_id == reader.user_id
    if not reader.sees(sight, author_id=author_id):
        return tombstone(document)
    shown = document.copy()
    if document["replyTo"] is not None:
        shown["replyTo"] = quote_for(document["replyTo"], reader)
    if not (reader.is_moderator or is_author) and document["moderation"]["note"]:
        shown["moderation"] = {**document["moderation"], "note": None}
    if not is_author:
        shown["clientId"] = None
    return shown


def quote_for(quote: Document, reader: Reader) -> Document:
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
    files = document["attachments"]
    return {**document, "attachments": [linked(file, links) for file in files]} if files else document


def linked(file: Document, links: Links) -> Document:
    """Return an attachment with a link to it; one that lies elsewhere has its own."""
    return {**file, "file_url": links.to(file["file_url"])} if is_stored(file) else file


def is_stored(file: Document) -> bool:
    return "://" not in file["file_url"]


def author_of(message: Message | Line | Quote) -> Document:
    return person(message.author) if message.author else dict(NOBODY)


def person(user: Named) -> Document:
    """Return somebody as everybody in a conversation reads them: without an address."""
    return {"id": user.pk, "name": user.display_name}


def attached(row: MessageAttachment | File) -> Document:
    """Return a file as it stands in a document: by its key, which ``with_links`` turns into a link (D20)."""
    return {
        "file_url": row.file_url,
        "filename": row.filename,
        "file_size": row.file_size,
        "mime_type": row.mime_type,
    }


def moment(value: datetime) -> str:
    """Return ISO 8601 in UTC with ``Z``: clients send it back as a cursor."""
    return value.isoformat().replace("+00:00", "Z")
