"""Posting a message: numbered under the lock of its conversation, stored at once, and told to the room."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from asyncpg import UniqueViolationError
from redis.exceptions import RedisError

from benchmarks.peer.answers import Refused, invalid
from benchmarks.peer.chat import MESSAGES, READABLE, author, message_of, quoted_author
from benchmarks.peer.drafts import draft_of
from benchmarks.peer.environment import ROOMS
from benchmarks.peer.mentions import named_in

if TYPE_CHECKING:
    from asyncpg import Record
    from redis.asyncio import Redis

    from benchmarks.peer.access import Database, Viewer
    from benchmarks.peer.drafts import Draft
    from benchmarks.peer.links import Links

QUOTES: Final = 100
REUSED: Final = "This clientId stands for another message. Use a new one for each message."
# Takes the next numbers and the next moment, a millisecond at least after the last: the row is held.
NEXT: Final = """
    INSERT INTO chat_conversation AS c (group_id, last_seq, last_revision, last_created_at)
    VALUES ($1, 1, 1, clock_timestamp())
    ON CONFLICT (group_id) DO UPDATE SET
        last_seq = c.last_seq + 1, last_revision = c.last_revision + 1,
        last_created_at = greatest(clock_timestamp(), c.last_created_at + interval '1 millisecond')
    RETURNING last_seq, last_revision, last_created_at
"""
STORE: Final = """
    INSERT INTO chat_message (group_id, author_id, text, client_id, client_digest, reply_to_id, seq, revision,
        posted_revision, created_at, was_shown, is_deleted, moderation_status, moderation_note)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, true, false, 'approved', '')
    RETURNING id
"""
HANG: Final = """
    INSERT INTO chat_messageattachment (message_id, upload_id, file_url, filename, file_size, mime_type)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
NAME: Final = "INSERT INTO chat_mention (message_id, user_id) SELECT $1, unnest($2::bigint[])"
ONE: Final = f"{MESSAGES} WHERE m.id = $1"
KNOWN: Final = """
    SELECT id, client_digest FROM chat_message WHERE group_id = $1 AND author_id = $2 AND client_id = $3
"""
QUOTE: Final = f"""
    SELECT m.id, (SELECT count(*) FROM chat_message r WHERE r.reply_to_id = m.id) AS times_quoted
    FROM chat_message m WHERE m.group_id = $1 AND {READABLE} AND m.id = $4
"""  # noqa: S608 - our own words
STORED: Final = """
    SELECT id, key, size, mime_type FROM core_upload
    WHERE owner_id = $1 AND key = ANY($2::text[]) AND state = 'stored'
"""


class Parts(NamedTuple):
    """What hangs on a draft: uploads with the names that they get, and whom its text names."""

    files: list[tuple[str, Record]]
    named: list[int]


class Desk(NamedTuple):
    """Who posts where, with what."""

    viewer: Viewer
    group: Record
    database: Database
    links: Links

    async def post(self, body: bytes) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Store a message; return it as its author reads it, and the event for the room: None for a repeat.

        Raises Refused (400, 422).
        """
        draft = draft_of(body)
        if draft.client_id and (known := await self.known(draft)):
            return known, None
        files = await self.files_of(draft)
        await self.check_quote(draft)
        parts = Parts(files, await named_in(draft.text, self.group["id"], self.database))
        try:
            async with self.database.transaction():
                document = await self.store(draft, parts)
        except UniqueViolationError:
            if known := await self.known(draft):
                return known, None
            raise
        return await self.told(document, draft)

    async def known(self, draft: Draft) -> dict[str, Any] | None:
        """Return the message that a draft's name stands for. Raises Refused (422)."""
        row = await self.database.fetchrow(KNOWN, self.group["id"], self.viewer.id, draft.client_id)
        if row is None:
            return None
        if row["client_digest"] not in draft.digests:
            raise Refused(422, "client_id_reused", REUSED)
        found = await self.database.fetchrow(ONE, row["id"])
        return self.shown(found) if found else None

    def shown(self, row: Record) -> dict[str, Any]:
        return message_of(row, self.viewer.id, self.links, moderates=self.viewer.moderates(self.group))

    async def files_of(self, draft: Draft) -> list[tuple[str, Record]]:
        """Return the author's own uploads that a draft names. Raises Refused (400)."""
        if not draft.files:
            return []
        keys = [file.key for file in draft.files]
        uploads = {row["key"]: row for row in await self.database.fetch(STORED, self.viewer.id, keys)}
        if any(key not in uploads for key in keys):
            raise invalid("attachments", "Upload the file first: links to this host are not taken.")
        return [(file.filename, uploads[file.key]) for file in draft.files]

    async def check_quote(self, draft: Draft) -> None:
        """Raise Refused (400) where what is quoted is not in the conversation, or is quoted too often."""
        if draft.reply_to is None:
            return
        moderates = self.viewer.moderates(self.group)
        row = await self.database.fetchrow(QUOTE, self.group["id"], self.viewer.id, moderates, draft.reply_to)
        if row is None:
            raise invalid("replyTo", "There is no such message in this conversation.")
        if row["times_quoted"] >= QUOTES:
            raise invalid("replyTo", "This message has been quoted too often.")

    async def store(self, draft: Draft, parts: Parts) -> dict[str, Any]:
        """Insert a message with what hangs on it; return it with the keys of its files."""
        place = await self.database.fetchrow(NEXT, self.group["id"])
        if place is None:
            raise RuntimeError
        digest = draft.digests[0] if draft.client_id else ""
        said = (draft.text, draft.client_id, digest, draft.reply_to)
        key = await self.database.fetchval(STORE, self.group["id"], self.viewer.id, *said, *place.values())
        files = [
            (key, row["id"], row["key"], name, row["size"], row["mime_type"]) for name, row in parts.files
        ]
        if files:
            await self.database.executemany(HANG, files)
        if parts.named:
            await self.database.execute(NAME, key, parts.named)
        return self.stored(key, draft, parts, place)

    def stored(self, key: int, draft: Draft, parts: Parts, place: Record) -> dict[str, Any]:
        row = self.viewer.row
        return {
            "id": key,
            "author": author(self.viewer.id, row["first_name"], row["last_name"], row["role"]),
            "text": draft.text,
            "timestamp": place["last_created_at"],
            "attachments": [attached(name, file) for name, file in parts.files],
            "isDeleted": False,
            "deletedAt": None,
            "deletedBy": None,
            "moderation": {"status": "approved", "note": None, "moderatedAt": None, "moderatedBy": None},
            "editedAt": None,
            "seq": place["last_seq"],
            "revision": place["last_revision"],
            "clientId": draft.client_id or None,
            "replyTo": None,
            "reactions": [],
            "mentions": parts.named,
        }

    async def told(self, document: dict[str, Any], draft: Draft) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a stored message as its author reads it, and as the room hears of it: by keys of files."""
        event = {
            "type": "chat.event",
            "kind": "message.created",
            "revision": document["revision"],
            "document": document,
            "sight": "all",
            "before": "moderators",
        }
        if draft.reply_to is not None and (row := await self.database.fetchrow(ONE, document["id"])):
            event["document"] = {**document, "replyTo": quote_for_all(row)}
            return self.shown(row), event
        files = [{**file, "file_url": self.links.to(file["file_url"])} for file in document["attachments"]]
        return {**document, "attachments": files}, event


def attached(filename: str, upload: Record) -> dict[str, Any]:
    return {
        "file_url": upload["key"],
        "filename": filename,
        "file_size": upload["size"],
        "mime_type": upload["mime_type"],
    }


def quote_for_all(row: Record) -> dict[str, Any]:
    """Return a quote with in whose sight its message is: who hears of it leaves out what is not for them."""
    sight = "author" if row["quote_status"] == "pending" else "all"
    if row["quote_deleted"] or row["quote_status"] == "rejected":
        sight = "moderators"
    return {"id": row["quote"], "author": quoted_author(row), "text": row["quote_text"], "sight": sight}


async def publish(event: dict[str, Any], group: Record, store: Redis) -> None:
    """Tell the product's sockets of a group. What is not heard is read from the database."""
    channel = f"{ROOMS}group.{group['room'].hex}"
    with suppress(RedisError, OSError):
        await store.publish(channel, orjson.dumps(event, option=orjson.OPT_UTC_Z))
