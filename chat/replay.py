"""What sockets have missed, read once for all those of a process that miss the same."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakValueDictionary

from chat.realtime import event_since
from chat.services.history import all_changes_after
from core.threads import in_database

if TYPE_CHECKING:
    from chat.realtime import Event

PAGE: Final = 100
PAGE_CHARACTERS: Final = 30_000  # each socket that does not read holds a page


class Missed(NamedTuple):
    """Events in order, for no reader in particular, and up to which revision; take out what is told."""

    events: deque[Event]
    revision: int


reads: dict[Any, asyncio.Task[Missed]] = {}
queues: WeakValueDictionary[Any, asyncio.Lock] = WeakValueDictionary()


async def missed(group_id: str, cursor: int, *, by: int) -> Missed:
    """Return what came after a revision. May join a read under way, which knows nothing of what came since.

    When a room of many falls behind, all its sockets ask the same: one by one, their queries would
    take longer than the next messages do to come.
    """
    key = (asyncio.get_running_loop(), group_id, cursor)
    if key not in reads:
        reads[key] = asyncio.ensure_future(read_in_turn(group_id, cursor, by=by))
        reads[key].add_done_callback(lambda _: reads.pop(key))
    # The socket that asked first may be closed meanwhile; the others still wait.
    events, revision = await asyncio.shield(reads[key])
    return Missed(events.copy(), revision)


async def read_in_turn(group_id: str, cursor: int, *, by: int) -> Missed:
    """Read, one after the other for a person: whoever opens many sockets waits for their own.

    The threads that ask the database are few.
    """
    async with queues.setdefault((asyncio.get_running_loop(), by), asyncio.Lock()):
        return await in_database(read)(group_id, cursor)


def read(group_id: str, cursor: int) -> Missed:
    page = all_changes_after(group_id, after=cursor, limit=PAGE, characters=PAGE_CHARACTERS)
    return Missed(deque(event_since(message, cursor) for message in page.messages), page.revision)
