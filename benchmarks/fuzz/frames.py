"""Whether any frame or handshake makes a socket server fail: no close 1011, no error in its log.

``make fuzz``; by hand, on a private PostgreSQL that ends with it:

    scripts/services.sh run -- .venv/bin/python benchmarks/fuzz/frames.py [FRAMES [SECONDS [SEED]]]

A student sends nasty frames into a group's conversation, and comes back whenever one has closed the socket;
beside it sockets are opened with nasty paths, queries and headers. Fails where a socket ends with 1011, or
without a close frame, or where the server does not answer a ping in the end.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import nasty
import scene
import stage
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stage import Stage

SENDERS: Final = 8
PATIENCE_SECONDS: Final = 20
LARGEST: Final = 1_000_000  # bytes; uvicorn closes with 1009 above
FAILED: Final = {1006, 1011}
MESSAGE: Final[dict[str, Any]] = {
    "action": "send_message",
    "text": "Hello",
    "clientId": "1",
    "replyTo": 1,
    "attachments": [{"url": "https://x.example/a", "filename": "a", "size": 1, "mimeType": "text/plain"}],
}
ACTIONS: Final = (
    "send_message",
    "typing",
    "ping",
    "opened",
    "close",
    "dispatch",
    "__init__",
    "chat_event",
    "",
)
MARK: Final = "@@here@@"


def frames() -> list[bytes | str]:
    """Return every frame there is: bytes are sent as text where they are JSON, whatever is in them."""
    made: list[bytes | str] = [text for text, _ in nasty.BODIES.values() if len(text) < LARGEST]
    made += ["", " ", "null", "[1]", '"x"', "5", "{", "x" * 70_000, "\x00", "\u202e", "{}" * 1_000]
    made += [json.dumps({**MESSAGE, "action": action}) for action in ACTIONS]
    for value in nasty.JSON.values():
        made += [value, b'{"action":%s}' % value, b'{"type":%s}' % value, b"{%s:1}" % value]
    for document in marked(MESSAGE):
        text = json.dumps(document).encode()
        made += [text.replace(json.dumps(MARK).encode(), value) for value in nasty.JSON.values()]
    return made


def marked(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in document:
        yield {**document, name: MARK}
    for name in document["attachments"][0]:
        yield {**document, "attachments": [{**document["attachments"][0], name: MARK}]}


@dataclass
class Sockets:
    """What was sent to one server, and how its sockets ended."""

    port: int
    ends_at: float
    codes: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    opened: int = 0
    failed: int = 0

    def url(self, path: str) -> str:
        return f"ws://{stage.HOST}:{self.port}{path}"

    async def send_all(self, path: str, waiting: list[bytes | str]) -> None:
        """Send one frame after the other, each until it is answered or has closed the socket."""
        while waiting and time.monotonic() < self.ends_at:
            async with connect(self.url(path), max_queue=None, open_timeout=30) as socket:
                self.opened += 1
                await socket.recv()
                try:
                    while waiting and time.monotonic() < self.ends_at:
                        await self.send(socket, waiting.pop())
                except ConnectionClosed:
                    self.note(socket.close_code)

    async def send(self, socket: ClientConnection, frame: bytes | str) -> None:
        """Send a frame and a ping, and read on until that is answered."""
        self.sent += 1
        await socket.send(frame, text=None if random.random() < 0.1 else True)  # noqa: S311, PLR2004 - one in ten
        await socket.send('{"action":"ping"}')
        async with asyncio.timeout(PATIENCE_SECONDS):
            while json.loads(await socket.recv())["type"] != "pong":
                pass

    async def shake_hands(self, paths: list[str]) -> None:
        """Open sockets in every wrong way."""
        for path in paths:
            for headers in (
                {},
                *({name: value} for name in ("Authorization", "Origin") for value in nasty.HEADERS[name]),
            ):
                await self.try_hands(path, headers)

    async def try_hands(self, path: str, headers: dict[str, str]) -> None:
        if time.monotonic() > self.ends_at:
            return
        self.sent += 1
        try:
            async with connect(self.url(path), additional_headers=headers, open_timeout=30) as socket:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await socket.send("x")
                    await socket.recv()
                await socket.close()
                self.note(socket.close_code)
        except ConnectionClosed as closed:
            self.note(closed.rcvd.code if closed.rcvd else 1006)
        except (InvalidHandshake, InvalidMessage) as error:
            self.codes[type(error).__name__] += 1
            self.failed += "HTTP 5" in str(error)

    def note(self, code: int | None) -> None:
        self.codes[str(code)] += 1
        self.failed += code in FAILED


def paths(group: str, token: str) -> list[str]:
    """Return every wrong place to open a socket at, and a right one with wrong parameters."""
    made = [f"/ws/chat/groups/{value}/?token={token}" for value in nasty.QUOTED.values()]
    made += [f"/ws/chat/groups/{group}/?token={token}&after={value}" for value in nasty.QUOTED.values()]
    made += [f"/ws/session/?token={value}" for value in nasty.QUOTED.values()]
    return [*made, "/ws/", "/", "/ws/chat/groups/", f"/ws/session/?access_token={token}&token=x", "/ws/%00/"]


async def perform(there: Stage, number: int, seed: int, ends_at: float) -> Sockets:
    access = await asyncio.to_thread(scene.access_of, "student")
    group = await asyncio.to_thread(newest_group)
    every, order = frames(), random.Random(seed)  # noqa: S311 - it is to be the same again
    chosen = [order.choice(every) for _ in range(number)]
    sockets = Sockets(there.sockets.port, ends_at)
    room = f"/ws/chat/groups/{group}/?token={access}"
    await asyncio.gather(
        sockets.shake_hands(order.sample(paths(group, access), 40)),
        *(sockets.send_all(room, chosen[n::SENDERS]) for n in range(SENDERS)),
    )
    async with connect(sockets.url(room)) as socket:
        await socket.recv()
        await sockets.send(socket, "{}")
    return sockets


def newest_group() -> str:
    from groups.models import Group

    return str(Group.objects.order_by("-created_at").values_list("pk", flat=True)[0])


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    number, seconds, seed = [*given, *[3_000, 0, random.SystemRandom().randrange(2**32)][len(given) :]]
    print(f"Seed {seed}. By hand: benchmarks/fuzz/frames.py {number} {seconds} {seed}", flush=True)
    with stage.standing() as there:
        scene.lay_out()
        ends_at = time.monotonic() + seconds if seconds else math.inf
        sockets = asyncio.run(perform(there, number, seed, ends_at))
        errors = there.complaints()
    print(f"{'frames and handshakes':44}{sockets.sent:>8}")
    print(f"{'sockets':44}{sockets.opened:>8}  ", dict(sockets.codes))
    stage.settle({"sockets that failed": sockets.failed, "errors that nobody expected, in logs": errors})


if __name__ == "__main__":
    main()
