"""Whether anything grows without end: the whole topology under modest traffic, for half an hour (SAFETY R20).

By hand, on private servers that end with it (``MINUTES=30 make drill PART=soak``); Linux:

    MINUTES=30 scripts/services.sh run -- .venv/bin/python benchmarks/drills/soak.py

60 people do 15 requests a second over TLS, 20 sockets stay, 30 come and go. Every 10 s memory and open files
are read of each process, and how many connections PostgreSQL and Redis have. The first fifth is warm-up; of
what follows, the median of the last quarter may be at most 10 % above that of the first, and no process may
have been started anew. Requests that fail are counted, and fail the drill.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ears import Ears
from faults import make_durable, verdict
from hub import Hub
from processes import children, descriptors, resident_kib
from traffic import Traffic
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from world import UNBOUNDED, make_world

if TYPE_CHECKING:
    import ssl

    from world import World

PEOPLE, STAYING, COMING, PER_SECOND = 60, 10, 30, 15
EVERY_SECONDS: Final = 10
WARM_UP: Final = 0.2
GROWTH: Final = 1.1
FEW: Final = 8  # descriptors or connections by which a number may be larger by chance
STAY_SECONDS: Final = (2, 20)
PROGRAMS: Final = ("sockets-1", "sockets-2", "worker", "worker-sign-in", "clock")


class Passers:
    """Sockets that come and go, in the event loop of those that stay."""

    def __init__(self, ears: Ears, world: World) -> None:
        self.ears, self.world = ears, world
        self.came = 0
        self.ends: Counter[str] = Counter()
        self.tasks: list[Any] = []

    def start(self) -> None:
        going = (self.come_and_go(random.Random(n)) for n in range(COMING))  # noqa: S311 - no secret
        self.tasks = [asyncio.run_coroutine_threadsafe(one, self.ears.loop) for one in going]

    async def come_and_go(self, chance: random.Random) -> None:
        while True:
            person = chance.choice(self.world.people)
            path = chance.choice([f"chat/groups/{person.group}", "notifications", "session"])
            url = f"{self.ears.url}/ws/{path}/?token={person.access}"
            try:
                await self.stay(url, self.ears.context, chance.uniform(*STAY_SECONDS))
            except (OSError, TimeoutError, WebSocketException) as error:
                self.ends[type(error).__name__] += 1

    async def stay(self, url: str, context: ssl.SSLContext | None, seconds: float) -> None:
        async with connect(url, ssl=context, max_queue=None) as socket:
            await socket.recv()
            self.came += 1
            await asyncio.sleep(seconds)

    def stop(self) -> None:
        for task in self.tasks:
            task.cancel()


@dataclass
class Samples:
    """What was read, by name, in order."""

    hub: Hub
    rows: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    pids: dict[str, int] = field(default_factory=dict)

    def find(self) -> dict[str, int]:
        """Return the processes as they are now."""
        found = {name: self.hub.pid_of(name) for name in PROGRAMS}
        workers = enumerate(children(self.hub.pid_of("http")), start=1)
        return found | {f"http worker {n}": pid for n, pid in workers}

    def take(self) -> None:
        from django.db import connection
        from django_redis import get_redis_connection

        for name, pid in self.pids.items():
            self.rows[f"{name}, KiB"].append(resident_kib(pid))
            self.rows[f"{name}, files"].append(descriptors(pid))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            self.rows["PostgreSQL, connections"].append(cursor.fetchone()[0])
        clients = get_redis_connection("default").info("clients")
        self.rows["Redis, connections"].append(clients["connected_clients"])

    def grew(self) -> list[str]:
        """Print a line for each; return the names of those that grew."""
        print(f"{'':30}{'start':>9}{'after warm-up':>15}{'end':>9}{'most':>9}{'growth':>9}")
        return [name for name, values in self.rows.items() if self.line(name, values)]

    def line(self, name: str, values: list[int]) -> bool:
        warm = values[int(len(values) * WARM_UP) :]
        quarter = max(1, len(warm) // 4)
        first, last = statistics.median(warm[:quarter]), statistics.median(warm[-quarter:])
        growth = (last / first - 1) * 100
        print(f"{name:30}{values[0]:>9}{first:>15.0f}{last:>9.0f}{max(values):>9}{growth:>8.1f}%")
        by_chance = not name.endswith("KiB") and last - first <= FEW
        return last > first * GROWTH and not by_chance


def play(hub: Hub, world: World, minutes: float) -> tuple[Samples, Traffic, Passers]:
    traffic = Traffic(hub.base, world, per_second=PER_SECOND, context=hub.trust)
    ears = Ears(hub.base.replace("https", "wss"), world.people[:STAYING], context=hub.trust).start()
    passers, samples = Passers(ears, world), Samples(hub)
    samples.pids = samples.find()
    traffic.start()
    passers.start()
    over = time.monotonic() + minutes * 60
    while time.monotonic() < over:
        samples.take()
        time.sleep(EVERY_SECONDS)
    passers.stop()
    traffic.stop()
    ears.stop()
    return samples, traffic, passers


def main() -> int:
    minutes = float(os.environ.get("MINUTES", "30"))
    os.environ.update(UNBOUNDED)
    hub = Hub()
    try:
        hub.start()
        hub.set_up_django()
        make_durable()
        world = make_world(PEOPLE)
        samples, traffic, passers = play(hub, world, minutes)
        is_same = samples.find() == samples.pids
    finally:
        hub.stop()
    bad = Counter(f"{one.kind} {one.status} {one.fault}" for one in traffic.answers if not one.is_good)
    print(f"{minutes:.0f} minutes, {len(traffic.answers)} requests, not answered well {dict(bad)}")
    print(f"sockets that came and went {passers.came}, that failed {dict(passers.ends)}")
    grew = samples.grew()
    print(f"grew: {', '.join(grew) or 'nothing'}; the same processes as at the start: {is_same}")
    is_right = not grew and not bad and is_same and not passers.ends
    return verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
