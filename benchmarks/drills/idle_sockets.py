"""What an open socket costs on which nothing happens: 1,000 of them on one uvicorn process.

By hand, on a private PostgreSQL that ends with it (``make drill PART=idle_sockets``; about three minutes):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/idle_sockets.py [SOCKETS [SECONDS]]

500 people sit in 50 groups with a socket of the conversation and one of the inbox each, from another
process, for a minute. The server has served and let go 100 before it is measured. Fails where each of them
costs 50 KiB of resident memory or more, where one is not open at the end, or where PostgreSQL has more
connections than ``SOCKET_DB_THREADS``.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from typing import IO, Any, Final

import faults
from processes import descriptors, resident_kib
from websockets.asyncio.client import ClientConnection, connect
from world import UNBOUNDED, Person, World, make_world

SOCKETS, IDLE_SECONDS, WARM = 1_000, 60, 100
BAR_KIB: Final = 50
AT_ONCE: Final = 20
SOCKET_DB_THREADS: Final = 4  # the setting's default


def addresses(port: int, people: list[Person]) -> list[str]:
    """Return a socket of the conversation and one of the inbox for each."""
    base = f"ws://{faults.HOST}:{port}/ws"
    paths = ((f"chat/groups/{one.group}/", "notifications/") for one in people)
    return [
        f"{base}/{path}?token={one.access}" for one, pair in zip(people, paths, strict=True) for path in pair
    ]


async def open_one(url: str, gate: asyncio.Semaphore) -> ClientConnection:
    async with gate:
        socket = await connect(url, open_timeout=60, ping_interval=None, compression=None)
        frame = json.loads(await socket.recv())
    if frame["type"] != "connection.established":
        raise SystemExit(f"FAILED: a socket began with {frame}")
    return socket


async def sit() -> None:
    """Open what standard input names, say so, and close all when it says anything more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    urls = json.loads(sys.stdin.readline())
    gate = asyncio.Semaphore(AT_ONCE)
    sockets = await asyncio.gather(*(open_one(url, gate) for url in urls))
    print(len(sockets), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(sum(socket.close_code is None for socket in sockets), flush=True)
    await asyncio.gather(*(socket.close() for socket in sockets))


class Sitters:
    """The process of those who sit there."""

    def __init__(self, urls: list[str]) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, __file__, "--sit"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.say(json.dumps(urls))
        self.opened = self.hear()

    def say(self, line: str) -> None:
        pipe: IO[Any] | None = self.process.stdin
        assert pipe is not None  # noqa: S101 - it was asked for
        pipe.write(f"{line}\n")
        pipe.flush()

    def hear(self) -> int:
        pipe: IO[Any] | None = self.process.stdout
        assert pipe is not None  # noqa: S101 - it was asked for
        return int(pipe.readline() or 0)

    def leave(self) -> int:
        """Close all; return how many were still open."""
        self.say("")
        still_open = self.hear()
        self.process.wait(60)
        return still_open


def database_connections() -> int:
    from django.db import connection

    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def measure(server: faults.Server, world: World, seconds: float) -> bool:
    assert server.process is not None  # noqa: S101 - it was started
    pid, urls = server.process.pid, addresses(server.port, world.people)
    Sitters(urls[:WARM]).leave()
    time.sleep(5)
    before, files = resident_kib(pid), descriptors(pid)
    started = time.monotonic()
    sitters = Sitters(urls)
    print(f"{sitters.opened} sockets opened in {time.monotonic() - started:.1f} s")
    at_once = resident_kib(pid)
    time.sleep(seconds)
    after, connections = resident_kib(pid), database_connections()
    opened = descriptors(pid) - files
    still_open = sitters.leave()
    time.sleep(5)
    each = (max(after, at_once) - before) / len(urls)
    print(f"resident memory {before / 1024:.1f} MiB before, {at_once / 1024:.1f} MiB when all were open,")
    print(
        f"{after / 1024:.1f} MiB after {seconds:.0f} s, {resident_kib(pid) / 1024:.1f} MiB when all had gone"
    )
    print(f"each socket {each:.1f} KiB (must be below {BAR_KIB}), descriptors +{opened}")
    print(f"still open {still_open}, connections to PostgreSQL {connections} (bound {SOCKET_DB_THREADS})")
    is_whole = sitters.opened == still_open == len(urls)
    return is_whole and each < BAR_KIB and connections <= SOCKET_DB_THREADS


def main() -> int:
    given = [int(argument) for argument in sys.argv[1:]]
    sockets, seconds = [*given, *[SOCKETS, IDLE_SECONDS][len(given) :]]
    redis = faults.redis()
    redis.start()
    faults.prepare(redis.port, **UNBOUNDED)
    server = faults.socket_server()
    try:
        world = make_world(sockets // 2)
        server.start()
        faults.wait_until_ready(server)
        is_right = measure(server, world, seconds)
    finally:
        server.stop()
        redis.stop()
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    if "--sit" in sys.argv:
        asyncio.run(sit())
    else:
        sys.exit(main())
