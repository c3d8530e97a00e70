"""The safety net below pushed revocation: an event that got lost closes its socket a few seconds late.

One query for all the sockets of a process, as long as there are any.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from channels.db import database_sync_to_async

from authentication.models import SignInSession
from core.exceptions import STORE_ERRORS
from core.realtime import UNAUTHENTICATED

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 3.0
ROUND_SECONDS: Final = 1.0


class Watched(Protocol):
    """An open socket of one session."""

    session: SignInSession | None

    async def close(self, code: Any = ...) -> None: ...


sockets: set[Watched] = set()
sweepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}
under_way: set[asyncio.Future[None]] = set()  # an event loop holds its tasks but weakly


def watch(socket: Watched) -> None:
    """Close the socket when its session turns out to have ended. Call it in the socket's event loop."""
    sockets.add(socket)
    loop = asyncio.get_running_loop()
    if loop not in sweepers:
        sweepers[loop] = loop.create_task(sweep_while_watching(loop))


def unwatch(socket: Watched) -> None:
    sockets.discard(socket)


async def sweep_while_watching(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while sockets:
            await asyncio.sleep(EVERY_SECONDS)
            await sweep()
    finally:
        del sweepers[loop]


async def sweep() -> None:
    """Close every watched socket whose session has ended, or whose person may not enter any more."""
    served = {socket: socket.session.pk for socket in sockets if socket.session}
    try:
        live = await database_sync_to_async(live_sessions)(set(served.values()))
    except STORE_ERRORS as error:
        logger.warning("sweep_failed", extra={"store_error": type(error).__name__})
        return
    ended = [socket for socket, session in served.items() if session not in live]
    await look_after_all(socket.close(UNAUTHENTICATED) for socket in ended)


async def look_after_all(cares: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run what is to be done for each socket, side by side, and wait a moment for all of it.

    One that its client closes at this moment fails, one that does not read takes long: neither keeps
    the others from being looked after, nor from the next round.
    """
    tasks = {asyncio.ensure_future(care) for care in cares}
    for task in tasks:
        task.add_done_callback(forget)
    under_way.update(tasks)
    if tasks:
        await asyncio.wait(tasks, timeout=ROUND_SECONDS)


def forget(task: asyncio.Future[None]) -> None:
    under_way.discard(task)
    if not task.cancelled() and task.exception() is not None:
        logger.info("socket_went_away", extra={"error": type(task.exception()).__name__})


def live_sessions(ids: set[int]) -> set[int]:
    sessions = SignInSession.objects.live().filter(pk__in=ids).select_related("user")
    return {session.pk for session in sessions if session.user.may_enter}
