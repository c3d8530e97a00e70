"""Those who listen, in a process of their own: told what to do by lines of JSON, and light enough to keep up.

    listeners.py sockets | redis

``{"open": {...}}`` opens (see ``Sockets.open``, ``Subscribers.open``), ``{"until": deliveries, "within": s}``
waits for so many, ``{"rung": [[number, moment], ...]}`` tells when each message was rung out, and is answered
with how long deliveries took; then all is forgotten. Standard input at its end closes everything.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from framing import MARK, Client, Heard, number_in
from redis.asyncio import Redis

if TYPE_CHECKING:
    from collections.abc import Iterable

OPEN_SECONDS: Final = 60.0


class Listeners:
    """What both kinds have in common: what was heard, and what is asked about it."""

    def __init__(self) -> None:
        self.heard: Heard = []

    async def until(self, deliveries: int, within: float) -> dict[str, Any]:
        """Wait for so many deliveries; answer how many came, and when the last did."""
        over = time.monotonic() + within
        while len(self.heard) < deliveries and time.monotonic() < over:  # noqa: ASYNC110 - hearing comes first
            await asyncio.sleep(0.005)
        return {
            "deliveries": len(self.heard),
            "last": max((moment for _, moment in self.heard), default=0.0),
        }

    def took(self, rung: Iterable[tuple[int, float]]) -> dict[str, float]:
        """Answer how many seconds deliveries took, and forget them."""
        moments = dict(rung)
        seconds = sorted(moment - moments[number] for number, moment in self.heard) or [0.0]
        self.heard.clear()
        last = len(seconds) - 1
        return {"p50": seconds[last // 2], "p99": seconds[last * 99 // 100], "most": seconds[last]}


class Sockets(Listeners):
    """Clients of the socket server."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: list[Client] = []

    async def open(self, urls: list[str], at_once: int) -> dict[str, Any]:
        """Open one socket a URL, so many at a time, past its greeting."""
        gate, loop = asyncio.Semaphore(at_once), asyncio.get_running_loop()

        async def open_one(url: str) -> Client:
            parts = urlsplit(url)
            async with gate:
                _, client = await loop.create_connection(
                    lambda: Client(f"{parts.path}?{parts.query}", self.heard),
                    parts.hostname or "",
                    parts.port or 0,
                )
                async with asyncio.timeout(OPEN_SECONDS):
                    await client.is_open
            return client

        began = time.monotonic()
        self.clients += await asyncio.gather(*(open_one(url) for url in urls))
        return {"seconds": time.monotonic() - began}


class Subscribers(Listeners):
    """Subscribers of Redis, as redis-py has them: a connection and a task each."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self, url: str, channel: str, subscribers: int) -> dict[str, Any]:
        began = time.monotonic()
        store = Redis.from_url(url, max_connections=subscribers + 1)
        for _ in range(subscribers):
            pubsub = store.pubsub(ignore_subscribe_messages=True)
            await pubsub.subscribe(channel)
            self.tasks.append(asyncio.create_task(self.listen(pubsub)))
        await asyncio.sleep(0.5)
        return {"seconds": time.monotonic() - began}

    async def listen(self, pubsub: Any) -> None:
        async for message in pubsub.listen():
            if message is not None and MARK in message["data"]:
                self.heard.append((number_in(message["data"]), time.monotonic()))


async def obey(listeners: Sockets | Subscribers) -> None:
    """Do what standard input says, line by line, and answer each."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        if "open" in order:
            answer: Any = await listeners.open(**order["open"])
        elif "until" in order:
            answer = await listeners.until(order["until"], order["within"])
        else:
            answer = listeners.took(order["rung"])
        print(json.dumps(answer), flush=True)


async def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    await obey(Sockets() if sys.argv[1] == "sockets" else Subscribers())


if __name__ == "__main__":
    asyncio.run(main())
