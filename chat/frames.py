"""The socket of a conversation, as the AsyncAPI document tells of it."""

from __future__ import annotations

from typing import Any, Final

from authentication.frames import INBOX_CODES, PING, PONG
from chat.examples import EXAMPLES, MESSAGE
from chat.realtime import Kind
from chat.rendering import tombstone
from chat.services.posting import ClientIdReused
from core.frames import INTEGER, Channel, Frame, asked, component, refusing, told
from core.realtime import FORBIDDEN, UNKNOWN
from core.refusals import Forbidden, Missing, TooMany, Unavailable
from users.examples import ADA, LATER

EDITED: Final[dict[str, Any]] = {
    **MESSAGE,
    **EXAMPLES["PatchedMessageChangeRequest"],
    "editedAt": LATER,
    "mentions": [],
    "revision": 3,
}
WORDS: Final = {
    Kind.CREATED: ("MessageCreated", "Somebody has posted a message", MESSAGE),
    Kind.UPDATED: ("MessageUpdated", "A message is not what it was", EDITED),
    Kind.DELETED: (
        "MessageDeleted",
        "A message was removed",
        tombstone({**EDITED, "deletedAt": LATER, "revision": 4}),
    ),
}
POST: Final = "NewMessageRequest"
CODES: Final = {
    *INBOX_CODES,
    "conflict",
    *(one.code for one in (ClientIdReused, Forbidden, Missing, Unavailable)),
}
EXPIRES_IN: Final = {"type": "integer", "description": "For how many seconds this is true."}


def event(kind: Kind) -> Frame:
    """Return the frame of a change: always the whole message, as its reader may see it."""
    name, summary, message = WORDS[kind]
    example: dict[str, Any] = {"type": str(kind), "revision": message["revision"], "payload": message}
    schema = told(str(kind), revision=INTEGER, payload=component("Message"))
    return Frame(name, summary, schema, example)


TELLS: Final = [
    Frame(
        "ChatOpened",
        "The socket is open, and where the conversation stands",
        told("connection.established", groupId={"type": "string"}, revision=INTEGER),
        {"type": "connection.established", "groupId": "BTF046", "revision": 42},
    ),
    *map(event, Kind),
    Frame(
        "SomebodyTypes",
        "Somebody else is writing",
        told(
            "typing",
            payload={
                "type": "object",
                "required": ["user", "expiresIn"],
                "properties": {"user": component("Author"), "expiresIn": EXPIRES_IN},
            },
        ),
        {"type": "typing", "payload": {"user": ADA, "expiresIn": 6}},
    ),
    Frame(
        "SomebodyRead",
        "Somebody else has read up to a place",
        told("read", payload=component("ReadCursor")),
        {"type": "read", "payload": EXAMPLES["ReadCursor"]},
    ),
    PONG,
    refusing("ChatRefused", CODES, example=("rate_limited", TooMany.sentence)),
]


def conversation(post: dict[str, Any]) -> Channel:
    """Return the channel; ``post`` are the properties of what is posted over HTTP."""
    example = {"action": "send_message", **EXAMPLES[POST]}
    return Channel(
        name="chat",
        address="/ws/chat/groups/{groupId}",
        title="A group's conversation",
        description=(
            "Everything that happens in a conversation, in order and without gaps. Keep the highest "
            "`revision`; when a socket was lost, open the next with `?after=` it: whatever changed since is "
            "told first, and the same message may come again, as it is now. What one posts comes back as "
            "`message.created`; with the same `clientId` it may be sent again."
        ),
        parameters={"groupId": {"description": "The group's id.", "examples": ["BTF046"]}},
        query={
            "after": {
                "type": "integer",
                "description": "The highest revision that one knows: what changed since is told first.",
            }
        },
        closes={
            FORBIDDEN: "Not, or not any more, somebody of this group.",
            UNKNOWN: "There is no such group, or not any more.",
        },
        sends=[
            PING,
            Frame("Typing", "I am writing", asked("typing"), {"action": "typing"}),
            Frame("SendMessage", "Post a message", asked("send_message", **post), example),
        ],
        tells=TELLS,
    )
