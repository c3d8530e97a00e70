"""The sockets of one person, as the AsyncAPI document tells of them: their session, and their inbox."""

from __future__ import annotations

from typing import Final

from core.examples import EXAMPLES, NOTICE
from core.frames import UNREAD, Channel, Frame, asked, component, refusing, told
from core.inbox.serializers import MOST_IDS
from core.refusals import TooMany

OWN_CODES: Final = {"frame_too_large", "invalid_payload", "unknown_action"}
INBOX_CODES: Final = {*OWN_CODES, "rate_limited", "unauthenticated", "validation_error"}
IDS: Final = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1},
    "maxItems": MOST_IDS,
    "description": "The rows to mark; left out: all of them.",
}

PING: Final = Frame("Ping", "Is the socket alive?", asked("ping"), {"action": "ping"})
PONG: Final = Frame("Pong", "It is", told("pong"), {"type": "pong"})

SESSION: Final = Channel(
    name="session",
    address="/ws/session",
    title="One's session",
    description="Tells a client at once when its session has ended: it closes with 4401.",
    sends=[PING],
    tells=[
        Frame(
            "SessionOpened",
            "The socket is open",
            told("connection.established"),
            {"type": "connection.established"},
        ),
        PONG,
        refusing("SessionRefused", OWN_CODES, example=("unknown_action", "This action is not known here.")),
    ],
)
INBOX: Final = Channel(
    name="notifications",
    address="/ws/notifications",
    title="One's inbox",
    description=(
        "Tells what comes as it comes, each row once and in the order in which they became visible, and how "
        "much is unread. What could not be told at once comes within some seconds."
    ),
    query={
        "after": {
            "type": "integer",
            "description": "The id of the last row that one knows: what came since is told, at most 100.",
        }
    },
    sends=[
        PING,
        Frame(
            "MarkRead",
            "Mark rows as read",
            asked("mark_read", ids=IDS),
            {"action": "mark_read", **EXAMPLES["ReadRequest"]},
        ),
    ],
    tells=[
        Frame(
            "InboxOpened",
            "The socket is open",
            told("connection.established", unread=UNREAD),
            {"type": "connection.established", "unread": 3},
        ),
        Frame(
            "Notification",
            "Something came",
            told("notification", payload=component("Notice"), unread=UNREAD),
            {"type": "notification", "payload": NOTICE, "unread": 4},
        ),
        Frame(
            "NotificationsRead",
            "Some were read, here or elsewhere",
            told("notifications.read", unread=UNREAD),
            {"type": "notifications.read", "unread": 2},
        ),
        PONG,
        refusing("InboxRefused", INBOX_CODES, example=("rate_limited", TooMany.sentence)),
    ],
)
