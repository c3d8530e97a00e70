"""The conversation's events: one for all its sockets, each of which makes its reader's own of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.db import models, transaction

from chat.models import Message
from chat.rendering import document_of, moment, person, render, with_links
from chat.texts import Texts
from core.realtime import ring, room_of_group, send_to_room

if TYPE_CHECKING:
    from chat.access import Reader
    from chat.models import ReadCursor
    from chat.models.lines import Line
    from core.uploads.links import Links
    from groups.models import Group
    from users.models import User

Event = dict[str, Any]
TYPING_SECONDS: Final = 6


class Kind(models.TextChoices):
    """What happened, in the words of the wire."""

    CREATED = "message.created"
    UPDATED = "message.updated"
    DELETED = "message.deleted"


def publish_on_commit(kind: Kind, message: Message, *, group: Group, before: str) -> None:
    """Tell the group's sockets, once committed; ``before`` is in whose sight the message was until now."""
    transaction.on_commit(partial(publish, kind, message, group=group, before=before))


def publish(kind: Kind, message: Message, *, group: Group, before: str) -> bool:
    """Ring the room. Best effort: what is not heard is read from the database (ADR 0009)."""
    return send_to_room(room_of_group(group.room), event_of(kind, message, before=before))


def event_of(kind: Kind, message: Message | Line, *, before: str) -> Event:
    return {
        "type": "chat.event",
        "kind": str(kind),
        "revision": message.revision,
        "document": document_of(message),
        "sight": str(message.sight),
        "before": str(before),
    }


def publish_reading(cursor: ReadCursor, *, group: Group) -> bool:
    """Tell the group's sockets how far somebody has read. Not stored: who missed it asks again."""
    told = {"user": person(cursor.user), "seq": cursor.seq, "readAt": moment(cursor.read_at)}
    return send_to_room(room_of_group(group.room), {"type": "chat.aside", "kind": "read", "payload": told})


async def ring_typing(user: User, *, group: Group) -> bool:
    """Tell the group's sockets that somebody is writing: true for 6 seconds, and then no more."""
    told = {"user": person(user), "expiresIn": TYPING_SECONDS}
    return await ring(room_of_group(group.room), {"type": "chat.aside", "kind": "typing", "payload": told})


def is_present(event: Event) -> bool:
    """Tell whether the message is still as the event has it."""
    return Message.objects.filter(pk=event["document"]["id"], revision=event["revision"]).exists()


def event_since(message: Line, cursor: int) -> Event:
    """Return what somebody missed of a message who knows all up to ``cursor``."""
    is_new = message.posted_revision > cursor and message.sight != Message.Sight.MODERATORS
    kind = Kind.DELETED if message.is_deleted else Kind.UPDATED
    kind = Kind.CREATED if is_new else kind
    # The cursor does not say what is on a screen: a page, or the answer to a post, may have brought it.
    before = Message.Sight.ALL if message.was_shown else Message.Sight.AUTHOR
    return event_of(kind, message, before=before)


def frame_for(event: Event, reader: Reader) -> dict[str, Any] | None:
    """Return the frame that a reader gets, or None: neither was it for them, nor is it now."""
    author_id = event["document"]["author"]["id"]
    saw, sees = (reader.sees(event[sight], author_id=author_id) for sight in ("before", "sight"))
    if not (saw or sees):
        return None
    payload = render(event["document"], reader, sight=event["sight"])
    return {"type": event["kind"], "revision": event["revision"], "payload": payload}


def text_for(event: Event, reader: Reader, links: Links) -> str | None:
    """Return what ``frame_for`` does as text with links, made once for all in a process who read the same.

    The texts hang on the event, which every socket of the process gets, and go with it.
    """
    if "texts" not in event:
        event["texts"] = Texts(event["document"])
    text: str | None = event["texts"].once(reader, partial(text_of, event, reader, links))
    return text


def text_of(event: Event, reader: Reader, links: Links) -> str | None:
    frame = frame_for(event, reader)
    return encoded(frame, links) if frame else None


def encoded(frame: dict[str, Any], links: Links) -> str:
    return orjson.dumps({**frame, "payload": with_links(frame["payload"], links)}).decode()
