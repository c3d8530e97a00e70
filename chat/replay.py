"""What sockets have missed, read once for all those of a process that miss the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chat.realtime import event_since
from chat.services.history import all_changes_after
from core.threads import in_database

if TYPE_CHECKING:
    from chat.realtime import Event

PAGE: Final = 100


class Missed(NamedTuple):
    """Events in order, for no reader in particular; up to which revision, and whether there are more."""

    events: list[Event]
    revision: int
    has_more: bool


reads: dict[Any, asyncio.Task[Missed]] = {}


async def missed(group_id: str, cursor: int) -> Missed:
    """Return what came after a revision. May join a read under way, which knows nothing of what came since.

    When a room of many falls behind, all its sockets ask the same: one by one, their queries would
    take longer than the next messages do to come.
    """
    key = (asyncio.get_running_loop(), group_id, cursor)
    if key not in reads:
        reads[key] = asyncio.ensure_future(in_database(read)(group_id, cursor))
        reads[key].add_done_callback(lambda _: reads.pop(key))
    # The socket that asked first may be closed meanwhile; the others still wait.
    return await asyncio.shield(reads[key])


def read(group_id: str, cursor: int) -> Missed:
    page = all_changes_after(group_id, after=cursor, limit=PAGE)
    return Missed([event_since(message, cursor) for message in page.messages], page.revision, page.has_more)
