"""A deadline that costs nothing where there is nothing to wait for."""

from __future__ import annotations

import asyncio
import types
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

Answer = TypeVar("Answer")


async def within(seconds: float, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Await a coroutine, which is cancelled once it has waited for so long. Raises TimeoutError.

    What is sent to a socket hardly ever waits, and to set a deadline costs more than many a send: it is set
    when the coroutine waits for the first time.
    """
    try:
        waits_for = coroutine.send(None)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    async with asyncio.timeout(seconds):
        return await rest_of(coroutine, waits_for)


@types.coroutine
def rest_of(coroutine: Coroutine[Any, Any, Answer], waits_for: Any) -> Generator[Any, None, Answer]:
    """Go on with a coroutine that has begun, and that waits for something."""
    try:
        while True:
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's, as in ``yield from``
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(None)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
