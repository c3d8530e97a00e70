"""One thing at a time, and nothing after the last."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from channels.exceptions import StopConsumer
from channels.layers import InMemoryChannelLayer
from django.test import SimpleTestCase

from core.consumers import OneByOneConsumer

PATIENCE = 5  # seconds: whoever hangs fails


class Listener(OneByOneConsumer):
    """Notes what it handles."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.may_go_on = asyncio.Event()

    async def websocket_connect(self, message: Any) -> None:
        self.begun.append("connect")

    async def websocket_receive(self, message: Any) -> None:
        self.begun.append("frame")

    async def websocket_disconnect(self, message: Any) -> None:
        self.begun.append("disconnect")
        raise StopConsumer

    async def note(self, event: Any) -> None:
        self.begun.append("note")

    async def slow(self, event: Any) -> None:
        self.begun.append("slow")
        await self.may_go_on.wait()

    async def fail(self, event: Any) -> None:
        self.begun.append("fail")
        await self.may_go_on.wait()
        raise KeyError

    async def deaf(self, event: Any) -> None:
        """Swallow a cancellation, as some of what a handler may wait for does."""
        self.begun.append("deaf")
        with suppress(asyncio.CancelledError):
            await self.may_go_on.wait()


async def nowhere(message: Any) -> None:
    """Send nothing."""


class Socket:
    """A consumer that is served, with what its client sends and what the layer tells."""

    def __init__(self) -> None:
        self.layer, self.sent = InMemoryChannelLayer(), asyncio.Queue[Any]()
        self.consumer = Listener()

    async def open(self) -> None:
        with patch("core.consumers.get_channel_layer", return_value=self.layer):
            self.serving = asyncio.create_task(self.consumer({}, self.sent.get, nowhere))
            self.sent.put_nowait({"type": "websocket.connect"})
            await self.until_begun("connect")

    async def tell(self, kind: str) -> None:
        await self.layer.send(self.consumer.channel_name, {"type": kind})

    async def until_begun(self, *expected: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.consumer.begun != list(expected):  # noqa: ASYNC110 - a test's own, and bounded
                await asyncio.sleep(0)

    async def until_over(self) -> Any:
        """Return the fault that it ended with; None where it ended in order. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            (end,) = await asyncio.gather(self.serving, return_exceptions=True)
        return end


async def opened() -> Socket:
    """Return a socket that listens."""
    socket = Socket()
    await socket.open()
    return socket


class OneByOneTests(SimpleTestCase):
    async def test_a_client_and_the_layer_wait_for_each_other(self) -> None:
        socket = await opened()
        await socket.tell("slow")
        await socket.until_begun("connect", "slow")
        socket.sent.put_nowait({"type": "websocket.receive"})
        await asyncio.sleep(0.01)
        self.assertEqual(socket.consumer.begun, ["connect", "slow"])

        socket.consumer.may_go_on.set()
        await socket.until_begun("connect", "slow", "frame")
        socket.sent.put_nowait({"type": "websocket.disconnect"})
        self.assertIsNone(await socket.until_over())

    async def test_nothing_is_begun_after_a_fault(self) -> None:
        """A message would be stored whose sender is told to try again."""
        socket = await opened()
        await socket.tell("fail")
        await socket.until_begun("connect", "fail")
        socket.sent.put_nowait({"type": "websocket.receive"})
        await asyncio.sleep(0.01)
        socket.consumer.may_go_on.set()

        self.assertIsInstance(await socket.until_over(), KeyError)
        self.assertEqual(socket.consumer.begun, ["connect", "fail"])

    async def test_nothing_is_begun_after_the_client_has_gone(self) -> None:
        socket = await opened()
        await socket.tell("slow")
        await socket.until_begun("connect", "slow")
        socket.sent.put_nowait({"type": "websocket.disconnect"})
        await asyncio.sleep(0.01)
        await socket.tell("note")
        socket.consumer.may_go_on.set()

        self.assertIsNone(await socket.until_over())
        self.assertEqual(socket.consumer.begun, ["connect", "slow", "disconnect"])

    async def test_one_whose_handler_swallows_the_end_ends_all_the_same(self) -> None:
        socket = await opened()
        await socket.tell("deaf")
        await socket.until_begun("connect", "deaf")
        socket.serving.cancel()

        self.assertIsInstance(await socket.until_over(), asyncio.CancelledError)

    async def test_nothing_of_one_that_failed_stays(self) -> None:
        """Not even until the garbage is collected."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for ends in ("fault", "order"):
            socket = await opened()
            left = weakref.ref(socket.consumer)
            socket.consumer.may_go_on.set()
            if ends == "fault":
                await socket.tell("fail")
            else:
                socket.sent.put_nowait({"type": "websocket.disconnect"})
            with suppress(KeyError):
                async with asyncio.timeout(PATIENCE):
                    await socket.serving
            del socket
            await asyncio.sleep(0)
            with self.subTest(ends):
                self.assertIsNone(left())
