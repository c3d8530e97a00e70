"""One conversation in which everybody hears everything: over sockets, and from Redis itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from framing import number_in
from grounds import Ears, at_once, cpu_seconds, make_members, ringing_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults import Server

    from groups.models import Group
    from users.models import User

Numbers = dict[str, float]
Rung = list[tuple[int, float]]

AT_ONCE: Final = 32  # handshakes under way
CHANNEL: Final = "raw"
WARM: Final = 100
PATIENCE_SECONDS: Final = 60.0
WORDS: Final = "Words that somebody wrote to all of them. " * 5


class Conversation:
    """Who posts in it, and who listens.

    ``said`` is what was posted last, each as its number, its room and its event: the subscribers of Redis are
    told the same bytes.
    """

    def __init__(self, server: Server, store: str, people: int) -> None:
        from redis import Redis

        self.server, self.address, self.store = server, store, Redis.from_url(store)
        self.group: Group
        self.members: list[User]
        self.group, self.members, self.tokens = make_members(people)
        self.ears, self.raw_ears = Ears("sockets"), Ears("redis")
        self.size, self.number = 0, 0
        self.said: list[tuple[int, str, dict[str, Any]]] = []

    def warm_up(self) -> None:
        """Open and close a hundred sockets: what a process needs once is not what one socket costs."""
        first = Ears("sockets")
        first.ask(open={"urls": self.urls(0, WARM), "at_once": AT_ONCE})
        first.leave()
        time.sleep(3)

    def urls(self, since: int, until: int) -> list[str]:
        base = f"ws://127.0.0.1:{self.server.port}/ws/chat/groups/{self.group.pk}/"
        return [f"{base}?token={token}" for token in self.tokens[since:until]]

    def grow(self, size: int) -> Numbers:
        """Have so many sockets open; return how many were opened a second, and what one cost the server."""
        used, urls = cpu_seconds(self.server), self.urls(self.size, size)
        seconds = self.ears.ask(open={"urls": urls, "at_once": AT_ONCE})["seconds"]
        used = cpu_seconds(self.server) - used
        self.size = size
        time.sleep(5)  # two rounds of the sweeps
        return {"per_second": len(urls) / seconds, "cpu_ms": used / len(urls) * 1_000}

    def open_again(self) -> Numbers:
        """Open as many sockets as there are people from another process, and close them; return the same."""
        self.ears, self.size = Ears("sockets"), 0
        numbers = self.grow(len(self.tokens))
        self.ears.leave()
        return numbers

    def grow_raw(self, by: int) -> None:
        self.raw_ears.ask(open={"url": self.address, "channel": CHANNEL, "subscribers": by})

    def post(self) -> None:
        """Post a message as a request does."""
        from chat.services.posting import Draft, post_message

        self.number += 1
        author = self.members[self.number % self.size]
        draft = Draft(text=f"This is no. {self.number}. {WORDS}")
        post_message(group_id=self.group.pk, author=author, draft=draft)

    def post_steadily(self, rate: float, seconds: float) -> Numbers:
        """Post so many a second; return how long deliveries took, and what one cost the server."""
        from core.realtime import send_to_room

        rung: Rung = []
        self.said = []

        def ring(room: str, event: dict[str, Any]) -> bool:
            self.said.append((self.number, room, event))
            rung.append((self.number, time.monotonic()))
            return send_to_room(room, event)

        used = cpu_seconds(self.server)
        with ringing_by(ring):
            at_a_rate(rate, round(rate * seconds), self.post)
        self.heard_by(self.ears)
        used = cpu_seconds(self.server) - used
        return {**self.ears.ask(rung=rung), "cpu_us": used / len(rung) / self.size * 1e6}

    def publish_steadily(self, rate: float) -> Numbers:
        """Publish the same bytes at that rate."""
        rung: Rung = []
        waiting = self.as_bytes()

        def publish() -> None:
            number, data = waiting.pop(0)
            rung.append((number, time.monotonic()))
            self.store.publish(CHANNEL, data)

        at_a_rate(rate, len(waiting), publish)
        self.heard_by(self.raw_ears)
        answer: Numbers = self.raw_ears.ask(rung=rung)
        return answer

    def ring_at_once(self, messages: int) -> Numbers:
        """Post, and ring for all of it in one go, as a process of sockets rings; return deliveries/s."""
        from core.realtime import ring

        self.said = []

        def keep(room: str, event: dict[str, Any]) -> bool:
            self.said.append((number_in(event["document"]["text"].encode()), room, event))
            return True

        with ringing_by(keep), at_once():
            for _ in range(messages):
                self.post()

        async def ring_all() -> None:
            for _, room, event in self.said:
                if not await ring(room, event):
                    raise SystemExit("A ring failed")

        began = time.monotonic()
        asyncio.run(ring_all())
        return self.rate_of(self.ears, began)

    def publish_at_once(self) -> Numbers:
        """Publish the same bytes in one go."""
        from redis.asyncio import Redis

        async def publish_all() -> None:
            async with Redis.from_url(self.address) as store:
                for _, data in self.as_bytes():
                    await store.publish(CHANNEL, data)

        began = time.monotonic()
        asyncio.run(publish_all())
        return self.rate_of(self.raw_ears, began)

    def as_bytes(self) -> list[tuple[int, bytes]]:
        from channels.layers import get_channel_layer

        layer: Any = get_channel_layer()
        return [(number, layer.serialize(event)) for number, _, event in self.said]

    def heard_by(self, ears: Ears) -> Numbers:
        """Wait until everybody has heard all that was said."""
        wanted = len(self.said) * self.size
        heard: Numbers = ears.ask(until=wanted, within=PATIENCE_SECONDS)
        if heard["deliveries"] != wanted:
            raise SystemExit(f"FAILED: {heard['deliveries']} deliveries of {wanted}")
        return heard

    def rate_of(self, ears: Ears, began: float) -> Numbers:
        heard = self.heard_by(ears)
        ears.ask(rung=[(number, began) for number, _, _ in self.said])
        deliveries, took = heard["deliveries"], heard["last"] - began
        return {"deliveries": deliveries, "per_second": deliveries / took}

    def end(self) -> None:
        self.ears.leave()
        self.raw_ears.leave()


def at_a_rate(per_second: float, times: int, do: Callable[[], None]) -> None:
    began = time.monotonic()
    for nth in range(times):
        time.sleep(max(0.0, began + nth / per_second - time.monotonic()))
        do()
