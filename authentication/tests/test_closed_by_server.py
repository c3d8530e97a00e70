"""A socket that the server has closed by itself, while something was still to be told to it."""

from __future__ import annotations

from typing import Any

from django.test import SimpleTestCase

from authentication.websocket import ClientGone, noticing

SEND, CLOSE = {"type": "websocket.send", "text": "{}"}, {"type": "websocket.close", "code": 4401}
REFUSED = "Unexpected ASGI message 'websocket.send', after sending 'websocket.close'."


class ClosedByServerTests(SimpleTestCase):
    """uvicorn closes with 1007 (RFC 6455, 8.1), and then raises at what is sent: found by benchmarks/fuzz."""

    @staticmethod
    def server(*errors: Exception | None) -> Any:
        left = list(errors)

        async def send(message: dict[str, Any]) -> None:
            error = left.pop(0)
            if error is not None:
                raise error

        return noticing(send)

    async def test_who_was_being_told_something_has_gone(self) -> None:
        for error in (RuntimeError(REFUSED), ConnectionResetError()):
            with self.subTest(repr(error)), self.assertRaises(ClientGone):
                await self.server(error)(SEND)

    async def test_to_send_after_a_close_of_our_own_is_a_defect(self) -> None:
        send = self.server(None, RuntimeError(REFUSED))
        await send(CLOSE)

        with self.assertRaises(RuntimeError):
            await send(SEND)

    async def test_so_is_any_other_complaint(self) -> None:
        with self.assertRaises(RuntimeError):
            await self.server(RuntimeError("Expected ASGI message 'websocket.accept'"))(SEND)
