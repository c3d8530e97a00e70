"""How a socket's consumer listens: to its client and to the layer, with one task for each of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Source = Callable[[], Awaitable[dict[str, Any]]]


class OneByOneConsumer(AsyncWebsocketConsumer):
    """Handles one thing at a time, whether its client sends it or the layer tells it.

    Channels does the same with a task for each event of each socket, and a visit to a thread before each, to
    close what ``core.threads.in_database`` closes. A message to a thousand sockets is a thousand events.
    """

    channel_name = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Listen until either ends it: the client goes, or a handler fails. Raises what failed."""
        self.scope, self.base_send, self.turns, self.is_over = scope, send, asyncio.Lock(), False
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        self.channel_name = await self.channel_layer.new_channel()
        told = partial(self.channel_layer.receive, self.channel_name)
        ears = [asyncio.create_task(self.listen(source)) for source in (in_turns(receive), told)]
        try:
            await asyncio.wait(ears, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_over = True
            for ear in ears:
                ear.cancel()
            ends = await asyncio.gather(*ears, return_exceptions=True)
            # Whatever holds a fault goes before it is raised: its traceback holds this frame.
            ears.clear()
            del ear
        fault = next((end for end in ends if isinstance(end, Exception)), None)
        ends.clear()
        try:
            if fault is not None:
                raise fault
        finally:
            del fault

    async def listen(self, source: Source) -> None:
        """Handle whatever comes from there, until the client has gone."""
        with suppress(StopConsumer):
            # Asked each time: what a handler waits for may swallow that it was cancelled.
            while not self.is_over:
                message = await source()
                async with self.turns:
                    await self.handle(message)

    async def handle(self, message: dict[str, Any]) -> None:
        """Handle one thing, unless the one before it was the last."""
        if self.is_over:
            return
        try:
            await getattr(self, get_handler_name(message))(message)
        except BaseException:
            self.is_over = True  # before whoever waits for their turn has it
            raise

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """End, at once: Channels visits a thread here, too."""
        await self.disconnect(message["code"])
        raise StopConsumer


def in_turns(receive: Source) -> Source:
    """Return a ``receive`` before which others have a turn: a client may send thousands of frames at once."""

    async def receive_in_turn() -> dict[str, Any]:
        await asyncio.sleep(0)
        return await receive()

    return receive_in_turn
