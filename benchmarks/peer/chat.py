"""Reading a conversation, and a message as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peer.access import conversation_of
from benchmarks.peer.answers import invalid

if TYPE_CHECKING:
    from asyncpg import Record
    from starlette.datastructures import QueryParams

    from benchmarks.peer.access import Database, Viewer
    from benchmarks.peer.links import Links

REMOVED: Final = "This message was removed."
NOBODY: Final = {"id": 0, "name": "Former member"}
PAGE: Final = 50
MOST: Final = 100
EVER: Final = datetime.max.replace(tzinfo=UTC)
QUOTED: Final = """
    q.id AS quote, left(q.text, 200) AS quote_text, q.is_deleted AS quote_deleted,
    q.moderation_status AS quote_status, q.author_id AS quote_author_id,
    qa.first_name AS quote_first_name, qa.last_name AS quote_last_name, qa.role AS quote_role
"""
MESSAGES: Final = f"""
    SELECT
    m.id, m.text, m.created_at, m.is_deleted, m.deleted_at, m.deleted_by_id, m.moderation_status,
    m.moderation_note, m.moderated_at, m.moderated_by_id, m.edited_at, m.seq, m.revision, m.client_id,
    m.author_id, a.first_name, a.last_name, a.role, {QUOTED},
    (SELECT jsonb_agg(jsonb_build_array(r.sign, r.user_id)) FROM chat_reaction r
     WHERE r.message_id = m.id) AS reactions,
    (SELECT jsonb_agg(n.user_id ORDER BY n.user_id) FROM chat_mention n
     WHERE n.message_id = m.id) AS mentions,
    (SELECT jsonb_agg(jsonb_build_object('file_url', f.file_url, 'filename', f.filename,
                                         'file_size', f.file_size, 'mime_type', f.mime_type) ORDER BY f.id)
     FROM chat_messageattachment f WHERE f.message_id = m.id) AS files
    FROM chat_message m
    LEFT JOIN users a ON a.id = m.author_id
    LEFT JOIN chat_message q ON q.id = m.reply_to_id
    LEFT JOIN users qa ON qa.id = q.author_id
"""  # noqa: S608 - our own words
# $2 is the reader, $3 whether they moderate: they read every row, others what is in sight, and their own
# that waits for review.
READABLE: Final = """(
    $3::boolean OR NOT m.is_deleted AND (
        m.moderation_status = 'approved' OR m.moderation_status = 'pending' AND m.author_id = $2)
)"""
NEWEST: Final = f"""
    {MESSAGES} WHERE m.group_id = $1 AND {READABLE} AND m.created_at < $4
    ORDER BY m.created_at DESC, m.id DESC LIMIT $5
"""


async def page_of(
    viewer: Viewer, group_id: str, asked: QueryParams, database: Database, links: Links
) -> dict[str, Any]:
    """Return the newest messages older than ``before``. Raises Refused (400, 403, 404)."""
    group = await conversation_of(viewer, group_id, database)
    before, limit = moment_of(asked.get("before", "")), limit_of(asked.get("limit", str(PAGE)))
    moderates = viewer.moderates(group)
    rows = await database.fetch(NEWEST, group_id, viewer.id, moderates, before, limit + 1)
    return {
        "messages": [message_of(row, viewer.id, links, moderates=moderates) for row in rows[:limit]],
        "hasMore": len(rows) > limit,
        "revision": group["revision"],
    }


def moment_of(text: str) -> datetime:
    """Return a moment; that of no message yet where none was sent. Raises Refused (400)."""
    if not text:
        return EVER
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise invalid("before", "Send a timestamp as a message has it, such as 2026-11-25T09:30:00Z.")


def limit_of(text: str) -> int:
    try:
        return max(1, min(int(text), MOST))
    except ValueError:
        raise invalid("limit", "A valid integer is required.") from None


def message_of(row: Record, reader: int, links: Links, *, moderates: bool) -> dict[str, Any]:
    """Return a message as somebody reads it who may: note and name are not for everybody."""
    is_own = row["author_id"] == reader
    return {
        "id": row["id"],
        "author": author(row["author_id"], row["first_name"], row["last_name"], row["role"]),
        "text": row["text"],
        "timestamp": row["created_at"],
        "attachments": [{**file, "file_url": links.to(file["file_url"])} for file in row["files"] or ()],
        "isDeleted": row["is_deleted"] or row["moderation_status"] == "rejected",
        "deletedAt": row["deleted_at"],
        "deletedBy": row["deleted_by_id"],
        "moderation": {
            "status": row["moderation_status"],
            "note": (row["moderation_note"] or None) if moderates or is_own else None,
            "moderatedAt": row["moderated_at"],
            "moderatedBy": row["moderated_by_id"],
        },
        "editedAt": row["edited_at"],
        "seq": row["seq"],
        "revision": row["revision"],
        "clientId": (row["client_id"] or None) if is_own else None,
        "replyTo": quote_of(row, reader, moderates=moderates),
        "reactions": reactions_of(row["reactions"]),
        "mentions": row["mentions"] or [],
    }


def author(user_id: int | None, first_name: str, last_name: str, role: str) -> dict[str, Any]:
    if user_id is None:
        return NOBODY
    return {"id": user_id, "name": f"{first_name} {last_name}".strip() or f"{role.capitalize()} {user_id}"}


def quote_of(row: Record, reader: int, *, moderates: bool) -> dict[str, Any] | None:
    """Return the message that one quotes, without its text where the reader may not read it."""
    if row["quote"] is None:
        return None
    is_hidden = row["quote_deleted"] or row["quote_status"] == "rejected"
    waits = row["quote_status"] == "pending" and row["quote_author_id"] != reader
    sees = moderates or not (is_hidden or waits)
    return {
        "id": row["quote"],
        "author": quoted_author(row),
        "text": row["quote_text"] if sees else REMOVED,
        "isDeleted": is_hidden or not sees,
    }


def quoted_author(row: Record) -> dict[str, Any]:
    names = (row["quote_first_name"], row["quote_last_name"], row["quote_role"])
    return author(row["quote_author_id"], *names)


def reactions_of(rows: list[list[Any]] | None) -> list[dict[str, Any]]:
    if not rows:
        return []
    by_sign = groupby(sorted(rows), itemgetter(0))
    return [{"sign": sign, "userIds": [user for _, user in those]} for sign, those in by_sign]
