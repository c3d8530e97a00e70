"""The safety net below the channel layer: what a socket did not hear, it is told some seconds late."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from core.exceptions import STORE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

logger = logging.getLogger(__name__)

ROUND_SECONDS: Final = 1.0

Socket = TypeVar("Socket")
under_way: set[asyncio.Future[None]] = set()  # an event loop holds its tasks but weakly


class Sweeper(Generic[Socket]):
    """Looks after the open sockets of a process, every few seconds for as long as there are any.

    A subclass says in ``look_after`` what is done in a round for all of them.
    """

    every_seconds: float

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.rounds: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

    def watch(self, socket: Socket) -> None:
        """Look after a socket. Call it in the socket's event loop."""
        self.sockets.add(socket)
        loop = asyncio.get_running_loop()
        if loop not in self.rounds:
            self.rounds[loop] = loop.create_task(self.go_round(loop))

    def unwatch(self, socket: Socket) -> None:
        self.sockets.discard(socket)

    async def go_round(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while self.sockets:
                await asyncio.sleep(self.every_seconds)
                await self.sweep()
        finally:
            del self.rounds[loop]

    async def sweep(self) -> None:
        """Go one round. Whatever happens in it, the next one comes: nobody else would start it again."""
        (fault,) = await asyncio.gather(self.look_after(set(self.sockets)), return_exceptions=True)
        if isinstance(fault, STORE_ERRORS):
            logger.warning("sweep_failed", extra={"store_error": type(fault).__name__})
        elif fault is not None:
            logger.error("sweep_broke", exc_info=fault)

    async def look_after(self, sockets: set[Socket]) -> None:
        raise NotImplementedError


async def side_by_side(cares: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run what is to be done for each socket, and wait a moment for all of it.

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
