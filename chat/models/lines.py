"""Messages as they are told: rows with all that a document shows, and nothing else, in one query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Case, OuterRef, Subquery, When
from django.db.models.functions import Cast, Left

from chat.models.messages import Message, MessageAttachment, sight_of
from core.nested import Parsed, Tuple, listed
from users.names import Somebody, columns_of_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from chat.models.messages import MessageQuerySet
    from users.names import Named

EXCERPT: Final = 200  # characters of a quote
OWN: Final = (
    *("pk", "text", "created_at", "edited_at", "is_deleted", "deleted_at", "deleted_by_id"),
    *("moderation_status", "moderation_note", "moderated_at", "moderated_by_id"),
    *("seq", "revision", "posted_revision", "was_shown", "client_id", "reaction_rows", "mention_ids"),
)
IS_DELETED: Final = OWN.index("is_deleted")
STATUS: Final = OWN.index("moderation_status")
OF_FILE: Final = ("pk", "file_url", "filename", "file_size", "mime_type", "upload__owner_id")
OF_QUOTE: Final = ("pk", "is_deleted", "moderation_status")


class File(NamedTuple):
    """What hangs on a message."""

    pk: int
    file_url: str
    filename: str
    file_size: int
    mime_type: str
    owner_id: int | None


class Quote(NamedTuple):
    """A message that another quotes, cut short."""

    pk: int
    sight: Message.Sight
    text: str
    author: Named | None


class Line(NamedTuple):
    """A message as it is told."""

    pk: int
    text: str
    created_at: datetime
    edited_at: datetime | None
    is_deleted: bool
    deleted_at: datetime | None
    deleted_by_id: int | None
    moderation_status: str
    moderation_note: str
    moderated_at: datetime | None
    moderated_by_id: int | None
    seq: int
    revision: int
    posted_revision: int
    was_shown: bool
    client_id: str
    reaction_rows: list[list[Any]] | None
    mention_ids: list[int] | None
    files: Iterable[File | MessageAttachment]
    quote: Quote | None
    author: Named | None
    sight: Message.Sight


def lines_in(messages: MessageQuerySet) -> QuerySet[Message, Any]:
    """Return the rows of which ``read`` makes lines."""
    files = MessageAttachment.objects.filter(message=OuterRef("pk"))
    quote = Message.objects.filter(pk=OuterRef("reply_to")).order_by()
    quoted = Tuple(*OF_QUOTE, Left("text", EXCERPT), *columns_of_name("author"))
    told = messages.with_marks().annotate(
        files=listed(files, "message", Tuple(*OF_FILE)),
        # In a condition, or PostgreSQL begins a search for each message that quotes nothing.
        quote=Case(When(reply_to__isnull=False, then=Subquery(quote.values(told=Cast(quoted, Parsed()))))),
    )
    return told.values_list(*OWN, "files", "quote", *columns_of_name("author"))


def read(row: Sequence[Any]) -> Line:
    """Return the line of a row: the columns of its own, its files, its quote, its author."""
    end = len(OWN)
    files, quote = row[end : end + 2]
    hanging = [File(*file) for file in sorted(files)] if files else ()
    author, sight = author_in(row[end + 2 :]), sight_of(row[STATUS], is_deleted=row[IS_DELETED])
    return Line._make([*row[:end], hanging, quote_in(quote) if quote else None, author, sight])


def quote_in(values: list[Any]) -> Quote:
    pk, is_deleted, moderation_status, text, *author = values
    sight = sight_of(moderation_status, is_deleted=bool(is_deleted))
    return Quote(pk, sight, text, author_in(author))


def author_in(values: Sequence[Any]) -> Somebody | None:
    return Somebody(*values) if values[0] is not None else None


def line_of(message: Message) -> Line:
    """Return the line of a message that came ``with_details``, or was just written."""
    own = (getattr(message, name) for name in OWN)
    quoted = message.reply_to
    quote = Quote(quoted.pk, quoted.sight, quoted.text[:EXCERPT], quoted.author) if quoted else None
    return Line._make([*own, message.attachments.all(), quote, message.author, message.sight])
