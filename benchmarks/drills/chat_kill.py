"""Whether a conversation stays whole while Redis is killed five times and a socket server twice.

By hand, on a private PostgreSQL that ends with it (``make drill PART=chat_kill``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/chat_kill.py [MESSAGES [WRITERS [PEOPLE]]]

Each of 20 writers posts 500 messages into one group over gunicorn, as a phone does: with a ``clientId``,
again where it got no answer. 50 listeners sit at two uvicorn processes and come back with ``?after=``. Fails
unless every acknowledged message is stored once, and every listener has the same list, in order.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import faults
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GROUP: Final = "DRILL1"
REDIS_KILLS, SERVER_KILLS = 5, 2
REDIS_DOWN_SECONDS: Final = 1.5
SERVER_DOWN_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 120
ACCEPTED: Final = {200, 201}
RETRIED: Final = {429, 500, 502, 503, 504}


@dataclass
class Posting:
    """What the writers did."""

    port: int
    pause: float = 0.0
    acked: dict[str, int] = field(default_factory=dict)
    sent_at: dict[str, float] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    took: dict[str, float] = field(default_factory=dict)

    def write(self, writer: int, token: str, count: int) -> None:
        """Post in a row, each until it is acknowledged."""
        line = http.client.HTTPConnection(faults.HOST, self.port, timeout=30)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for n in range(count):
            name = f"{writer}-{n}"
            body = json.dumps({"text": f"Message {n} of {writer}", "clientId": name})
            self.sent_at[name] = time.monotonic()
            while name not in self.acked:
                self.attempt(line, name, body, headers)
            time.sleep(self.pause)

    def attempt(
        self, line: http.client.HTTPConnection, name: str, body: str, headers: dict[str, str]
    ) -> None:
        started = time.monotonic()
        try:
            line.request("POST", f"/api/groups/{GROUP}/messages", body, headers)
            response = line.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.failures[type(error).__name__] += 1
            line.close()
            time.sleep(0.2)
            return
        self.took[name] = max(self.took.get(name, 0.0), time.monotonic() - started)
        if response.status in ACCEPTED:
            self.acked[name] = json.loads(answer)["id"]
        elif response.status in RETRIED:
            self.failures[str(response.status)] += 1
            time.sleep(0.5)
        else:
            raise SystemExit(f"{response.status}: {answer!r}")


@dataclass
class Listener:
    """One client: it comes back for ever, with the revision up to which it knows all."""

    number: int
    token: str
    ports: list[int]
    cursor: int = 0
    heard: list[tuple[int, str]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    lives: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    async def listen(self, sent_at: dict[str, float]) -> None:
        while True:
            port = self.ports[(self.number + self.lives) % len(self.ports)]
            url = f"ws://{faults.HOST}:{port}/ws/chat/groups/{GROUP}/?token={self.token}&after={self.cursor}"
            self.lives += 1
            try:
                async with connect(url, max_queue=None, open_timeout=30) as socket:
                    async for text in socket:
                        self.take(json.loads(text), sent_at)
                    self.ends[str(socket.close_code)] += 1
            except ConnectionClosed as closed:
                self.ends[str(closed.code)] += 1
            except (OSError, InvalidHandshake, TimeoutError) as error:
                self.ends[type(error).__name__] += 1
            await asyncio.sleep(0.3)

    def take(self, frame: dict[str, Any], sent_at: dict[str, float]) -> None:
        if frame["type"] != "message.created":
            return
        text = frame["payload"]["text"].split()
        name = f"{text[3]}-{text[1]}"
        self.heard.append((frame["revision"], name))
        self.delays.append(time.monotonic() - sent_at[name])
        self.cursor = max(self.cursor, frame["revision"])


@dataclass
class Drill:
    """The servers, the clients and what befalls them."""

    redis: faults.Server
    sockets: list[faults.Server]
    posting: Posting
    listeners: list[Listener]
    total: int

    async def run(self, writers: list[threading.Thread]) -> None:
        listening = [asyncio.create_task(one.listen(self.posting.sent_at)) for one in self.listeners]
        await self.until(lambda: all(one.lives for one in self.listeners))
        for thread in writers:
            thread.start()
        await self.disturb()
        await self.until(lambda: not any(thread.is_alive() for thread in writers), seconds=math.inf)
        await self.until(lambda: all(len(one.heard) >= self.total for one in self.listeners))
        await asyncio.sleep(3)  # what is doubled would come now
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)

    async def until(self, is_so: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not is_so() and time.monotonic() < end:  # noqa: ASYNC110 - threads know of no events
            await asyncio.sleep(0.02)

    async def disturb(self) -> None:
        """Kill at even parts of the work: Redis, and in between each socket server once."""
        plan = ["redis", "server 0", "redis", "redis", "server 1", "redis", "redis"]
        for number, whom in enumerate(plan, start=1):
            await self.until(
                partial(self.has_acked, self.total * number // (len(plan) + 1)), seconds=math.inf
            )
            if whom == "redis":
                await self.kill(self.redis, REDIS_DOWN_SECONDS)
            else:
                await self.kill(self.sockets[int(whom[-1])], SERVER_DOWN_SECONDS)

    def has_acked(self, count: int) -> bool:
        return len(self.posting.acked) >= count

    async def kill(self, server: faults.Server, seconds: float) -> None:
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(server.start)


Played = TypeVar("Played", bound=Drill)


def fill(people: int) -> list[str]:
    """Store a group of so many people; return an access token of each."""
    from authentication.sessions import open_session
    from groups.models import Group, GroupMember
    from users.models import User

    group = Group.objects.create(id=GROUP, name="Drill")
    users = [User.objects.create_user(email=f"p{n}@example.org", status="active") for n in range(people)]
    GroupMember.objects.bulk_create(GroupMember(group=group, user=user) for user in users)
    return [open_session(user, user_agent="").access for user in users]


def stored() -> list[str]:
    """Return the names of the stored messages, in their order."""
    from chat.models import Message

    return list(Message.objects.filter(group=GROUP).order_by("seq").values_list("client_id", flat=True))


def report(drill: Drill, seconds: float) -> bool:
    """Print the counts; tell whether all is as it must be."""
    posting, kept = drill.posting, stored()
    heard = [[name for _, name in one.heard] for one in drill.listeners]
    delays = [delay for one in drill.listeners for delay in one.delays]
    counts = {
        "acked": len(posting.acked),
        "stored": len(kept),
        "lost (acked, not stored)": len(posting.acked.keys() - set(kept)),
        "doubled (stored twice)": len(kept) - len(set(kept)),
        "lost at listeners": sum(len(set(kept) - set(names)) for names in heard),
        "doubled at listeners": sum(len(names) - len(set(names)) for names in heard),
        "out of order at listeners": sum(out_of_order(one) for one in drill.listeners),
        "listeners with another list": sum(names != kept for names in heard),
    }
    for name, number in counts.items():
        print(f"{name:34}{number:>8}")
    print(f"{'listeners':34}{len(heard):>8}")
    print(f"{'reconnects':34}{sum(one.lives - 1 for one in drill.listeners):>8}", ends(drill.listeners))
    print(f"{'failed posts':34}{sum(posting.failures.values()):>8}", dict(posting.failures))
    print(f"{'posting took':34}{seconds:>8.1f} s")
    faults.spread("post", list(posting.took.values()))
    faults.spread("delivery", delays)
    whole = counts["acked"] == counts["stored"] == drill.total
    return whole and not any(list(counts.values())[2:])


def out_of_order(listener: Listener) -> int:
    revisions = [revision for revision, _ in listener.heard]
    return sum(later <= earlier for earlier, later in pairwise(revisions))


def ends(listeners: list[Listener]) -> dict[str, int]:
    """Count how the listeners' connections ended, by close code or error."""
    return dict(sum((one.ends for one in listeners), Counter[str]()))


def play(
    kind: type[Played],
    messages: int,
    writers: int,
    listeners: int,
    *,
    pause: float = 0.0,
    budgets: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Played, bool]:
    """Start everything, have the drill done, print what came of it; tell whether that is as it must be."""
    redis = faults.redis()
    faults.prepare(redis.port, **budgets)
    http_server, sockets = faults.http_server(threads=16), [faults.socket_server() for _ in range(2)]
    servers = [redis, http_server, *sockets]
    try:
        redis.start()
        tokens = fill(max(writers, listeners))
        for server in servers[1:]:
            server.start()
            faults.wait_until_ready(server)
        posting, ports = Posting(http_server.port, pause), [server.port for server in sockets]
        clients = [Listener(n, tokens[n], ports) for n in range(listeners)]
        drill = kind(redis, sockets, posting, clients, messages * writers)
        threads = [
            threading.Thread(target=posting.write, args=(n, tokens[n], messages), daemon=True)
            for n in range(writers)
        ]
        started = time.monotonic()
        asyncio.run(drill.run(threads))
        is_right = report(drill, time.monotonic() - started)
        faults.complaints(servers[1:])
    finally:
        for server in reversed(servers):
            server.stop()
    return drill, is_right


def settle(*, is_right: bool) -> None:
    if not is_right:
        raise SystemExit("FAILED: a number above is not right")
    print("\nAll numbers are right.")


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    messages, writers, listeners = [*given, *[500, 20, 50][len(given) :]]
    budgets = {"CHAT_BURST": "100000", "CHAT_PER_SECOND": "1000", "API_WRITES_PER_USER": ""}
    _, is_right = play(Drill, messages, writers, listeners, budgets=budgets)
    settle(is_right=is_right)


if __name__ == "__main__":
    main()
