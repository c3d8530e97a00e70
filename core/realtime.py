"""The only writer to the channel layer.

The database is the truth, the layer a doorbell: a failed ring is a log line, never a failed request.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from core.breaker import Breaker, Resting
from core.watching import metrics

if TYPE_CHECKING:
    from uuid import UUID

logger = logging.getLogger(__name__)
doorbell = Breaker()
alarm = Breaker()  # for what ends rights: that a message was not heard keeps none of these back

UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
UNKNOWN: Final = 4404
FLOODED: Final = 4429
TRY_LATER: Final = 1013
RING_SECONDS: Final = 0.5
FAULTS: Final = (RedisError, OSError, ChannelFull, Resting)


def room_of_user(user_id: int) -> str:
    """Return the room in which every socket of that person sits. Ids are never reused."""
    return f"user.{user_id}"


def room_of_inbox(user_id: int) -> str:
    """Return the room of the sockets that show that person's inbox."""
    return f"inbox.{user_id}"


def room_of_group(room: UUID) -> str:
    """Return the room of a group's sockets, by its UUID: a group that got the same id is another room."""
    return f"group.{room.hex}"


async def ring(room: str, event: dict[str, Any], breaker: Breaker | None = None) -> bool:
    """Ring every socket of a room, at once; call it after the commit. False where nobody could be told.

    While the layer does not answer, it is tried once in a while and passed over in between.
    """
    layer = get_channel_layer()
    try:
        # A connection serves one ring after the other: this bounds the wait for one's turn, too. It is no
        # fault of Redis's that a process is busy.
        async with asyncio.timeout(RING_SECONDS):
            with (breaker or doorbell).asking():
                await layer.group_send(room, event)
    except FAULTS as fault:
        note(event, fault)
        return False
    return True


def send_to_room(room: str, event: dict[str, Any], breaker: Breaker | None = None) -> bool:
    """Ring from a thread, where no event loop runs."""
    layer: Any = get_channel_layer()
    if not hasattr(type(layer), "group_send_now"):
        return async_to_sync(ring)(room, event, breaker)
    try:
        with (breaker or doorbell).asking():
            layer.group_send_now(room, event)
    except FAULTS as fault:
        note(event, fault)
        return False
    return True


def note(event: dict[str, Any], fault: Exception) -> None:
    logger.warning("fan_out_failed", extra={"event_type": event["type"], "store_error": type(fault).__name__})
    metrics.fan_out_failures.labels(event["type"]).inc()


def close_sockets(*, room: str, code: int, session: int | None = None) -> bool:
    """Close the sockets of a room with one of the codes above; of one sign-in session alone, if named."""
    return send_to_room(room, {"type": "socket.close", "code": code, "session": session}, alarm)


def recheck_sockets(*, room: str) -> bool:
    """Have the sockets of a room ask again whether they may stay: who may see what has changed."""
    return send_to_room(room, {"type": "socket.recheck"}, alarm)
