"""Sockets that stay: clients that come back by themselves, and catch up from where they were."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

if TYPE_CHECKING:
    import ssl

    from world import Person

OPEN_SECONDS: Final = 10
BACK_OFF_SECONDS: Final = (0.3, 0.6, 1.2, 2.4)


@dataclass
class Ear:
    """One client at one socket: of its group's conversation, or of its own inbox."""

    url: str
    person: Person
    is_chat: bool = True
    cursor: int = 0
    heard: list[tuple[int, str]] = field(default_factory=list)
    lives: int = 0
    is_open: bool = False
    back_at: list[float] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    async def listen(self, context: ssl.SSLContext | None) -> None:
        tries = 0
        while True:
            try:
                if await self.live(context):
                    tries = 0
            except ConnectionClosed as closed:
                self.ends[str(closed.code)] += 1
            except (OSError, InvalidHandshake, InvalidMessage, TimeoutError) as error:
                self.ends[type(error).__name__] += 1
            self.is_open = False
            await asyncio.sleep(BACK_OFF_SECONDS[min(tries, len(BACK_OFF_SECONDS) - 1)])
            tries += 1

    async def live(self, context: ssl.SSLContext | None) -> bool:
        """Sit there until it ends; tell whether it was opened at all."""
        path = f"chat/groups/{self.person.group}/" if self.is_chat else "notifications/"
        url = f"{self.url}/ws/{path}?token={self.person.access}&after={self.cursor}"
        was_opened = False
        async with connect(url, ssl=context, max_queue=None, open_timeout=OPEN_SECONDS) as socket:
            async for text in socket:
                was_opened = self.take(json.loads(text)) or was_opened
            self.ends[str(socket.close_code)] += 1
        return was_opened

    def take(self, frame: dict[str, Any]) -> bool:
        """Keep what was told; tell whether that is the frame with which a socket opens."""
        if frame["type"] == "connection.established":
            self.lives += 1
            self.is_open = True
            self.back_at.append(time.monotonic())
            return True
        if frame["type"] == "message.created":
            self.heard.append((frame["revision"], frame["payload"]["text"].split()[-1]))
            self.cursor = max(self.cursor, frame["revision"])
        return False


class Ears:
    """All sockets, in an event loop of their own thread."""

    def __init__(self, url: str, people: list[Person], *, context: ssl.SSLContext | None = None) -> None:
        self.url, self.context = url, context
        self.all = [Ear(url, person, is_chat) for person in people for is_chat in (True, False)]
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.tasks: list[Any] = []

    def start(self) -> Ears:
        self.thread.start()
        self.tasks = [
            asyncio.run_coroutine_threadsafe(ear.listen(self.context), self.loop) for ear in self.all
        ]
        return self

    def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        time.sleep(1)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def wait_until_open(self, seconds: float = 60) -> bool:
        """Wait until all are open; tell whether they are."""
        over = time.monotonic() + seconds
        while time.monotonic() < over and not all(ear.is_open for ear in self.all):
            time.sleep(0.1)
        return all(ear.is_open for ear in self.all)

    def came_back(self, since: float, until: float) -> list[float]:
        """Return when sockets were opened between two moments."""
        return [at for ear in self.all for at in ear.back_at if since <= at < until]

    @property
    def ends(self) -> dict[str, int]:
        return dict(sum((ear.ends for ear in self.all), Counter[str]()))

    def unlike(self, stored: dict[str, list[str]]) -> int:
        """Count the sockets of conversations that did not hear what is stored, each once and in order."""
        return sum(
            [name for _, name in ear.heard] != stored[ear.person.group] for ear in self.all if ear.is_chat
        )
