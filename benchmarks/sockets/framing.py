"""A client's end of a WebSocket that reads frames and little else (RFC 6455): the server is measured."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any, Final

MARK: Final = b"no. "  # before the number that each text of the benchmark holds
NUMBER: Final = re.compile(rb"no\. (\d+)")
GREETING: Final = b"connection.established"
HEAD: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SHORT, LONG = 126, 127

Heard = list[tuple[int, float]]


def number_in(data: bytes) -> int:
    """Return the number of the message that a text holds."""
    found = NUMBER.search(data)
    assert found is not None  # noqa: S101 - the benchmark wrote it
    return int(found[1])


class Client(asyncio.Protocol):
    """Notes of each message its number and the moment; answers pings."""

    def __init__(self, path: str, heard: Heard) -> None:
        self.path, self.heard = path, heard
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting = b""
        self.is_upgraded = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(HEAD.format(path=self.path).encode())

    def data_received(self, data: bytes) -> None:
        moment, self.waiting = time.monotonic(), self.waiting + data
        if not self.is_upgraded:
            _, end, rest = self.waiting.partition(b"\r\n\r\n")
            if not end:
                return
            self.is_upgraded, self.waiting = True, rest
        self.read_frames(moment)

    def read_frames(self, moment: float) -> None:
        data, at = self.waiting, 0
        while (bounds := frame_at(data, at)) is not None:
            start, end = bounds
            self.take(data[at], data[start:end], moment)
            at = end
        self.waiting = data[at:]

    def take(self, kind: int, payload: bytes, moment: float) -> None:
        if kind == TEXT and MARK in payload:
            self.heard.append((number_in(payload), moment))
        elif kind == TEXT and GREETING in payload and not self.is_open.done():
            self.is_open.set_result(None)
        elif kind == PING:
            # Masked with zeros.
            self.transport.write(bytes((PONG, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif kind == CLOSE:
            self.fail(f"closed with {int.from_bytes(payload[:2], 'big')}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail("the connection is gone")

    def fail(self, why: str) -> None:
        if not self.is_open.done():
            self.is_open.set_exception(ConnectionError(why))


def frame_at(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame there begins and ends; None while it is not all there."""
    if len(data) < at + 2:
        return None
    start, length = at + 2, data[at + 1]
    if length in {SHORT, LONG}:
        start = at + (4 if length == SHORT else 10)
        length = int.from_bytes(data[at + 2 : start], "big")
    return (start, start + length) if len(data) >= start + length else None


def framed(text: bytes) -> bytes:
    """Return a text as a server's frame, of 126 bytes or more."""
    return bytes((TEXT, SHORT)) + len(text).to_bytes(2, "big") + text
