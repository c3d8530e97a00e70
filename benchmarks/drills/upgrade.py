"""Whether people notice an upgrade, and its being taken back, at 50 requests a second (SAFETY R18).

By hand, on a private PostgreSQL that ends with it (``make drill PART=upgrade``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/upgrade.py [MESSAGES [SECONDS]]

The release before (PREVIOUS, a revision; else the newest commit with other migrations) serves while today's
``migrate`` runs. Then today's servers take over, and then, on the new schema, the release before again. Fails
unless every request is answered well, everything that was acknowledged is there, and every socket came
back by itself and has heard all. Requests that the release before does not know are left out.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import faults
from ears import Ears
from phases import Phase, report
from proxy import Proxy
from releases import exported, git, make_old_world, of, previous_release, run
from traffic import READS, WRITES, Client, Traffic
from wire import Call
from world import UNBOUNDED, broken_promises, stored_messages

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

PEOPLE: Final = 40
PER_SECOND: Final = 50
NOTHING: Final = frozenset[str]()


class Older(Client):
    """A phone that asks only for what the release before knows."""

    reads: tuple[str, ...] = READS

    def new_read(self, name: str) -> Call:
        path = self.reads[(self.number + self.sent) % len(self.reads)]
        return Call("read", "GET", path.format(group=self.person.group))


@dataclass
class Pair:
    """The two servers of one release."""

    web: faults.Server
    sockets: faults.Server

    @classmethod
    def start(cls, folder: Path) -> Pair:
        pair = cls(of(faults.http_server(workers=2), folder), of(faults.socket_server(), folder))
        for server in (pair.web, pair.sockets):
            server.start()
            faults.wait_until_ready(server)
        return pair

    def stop(self) -> None:
        self.web.stop()
        self.sockets.stop()


class LockWatch(Thread):
    """Looks twenty times a second how long somebody has been waiting for a lock."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.is_over, self.longest = Event(), 0.0

    def run(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            while not self.is_over.wait(0.05):
                cursor.execute("SELECT max(clock_timestamp() - waitstart) FROM pg_locks WHERE NOT granted")
                waited = cursor.fetchone()[0]
                self.longest = max(self.longest, waited.total_seconds() if waited else 0.0)
        connection.close()


class Upgrade:
    """What stands before the servers, who asks, and what happened when."""

    def __init__(self, first: Pair, world: World, seconds: float) -> None:
        self.pairs, self.seconds = [first], seconds
        self.web, self.sockets = Proxy(first.web.port).start(), Proxy(first.sockets.port).start()
        self.traffic = Traffic(f"http://{faults.HOST}:{self.web.port}", world, per_second=PER_SECOND)
        self.ears = Ears(f"ws://{faults.HOST}:{self.sockets.port}", world.people)
        self.ears.all = [ear for ear in self.ears.all if ear.is_chat]
        self.phases: list[Phase] = []

    @property
    def pair(self) -> Pair:
        """Return the servers that are asked now."""
        return self.pairs[-1]

    def start(self) -> None:
        self.ears.start()
        if not self.ears.wait_until_open():
            raise SystemExit(f"Not all sockets open: {self.ears.ends}")
        self.ask_what_is_known()
        self.begin("before")
        self.traffic.start()
        time.sleep(self.seconds)

    def ask_what_is_known(self) -> None:
        asker = Client(self.traffic, self.traffic.world.people[0], -1)
        paths = {path: Call("read", "GET", path.format(group=asker.person.group)) for path in READS}
        Older.reads = tuple(path for path, call in paths.items() if asker.send(call).is_good)
        kinds = {kind for kind in WRITES if asker.send(self.first(asker, kind)).is_good} | {"read"}
        print("left out:", *sorted({*READS, *WRITES} - {*Older.reads, *kinds}))
        self.traffic.clients = [
            Older(self.traffic, person, n) for n, person in enumerate(self.traffic.world.people)
        ]
        for client in self.traffic.clients:
            client.deck = [kind for kind in client.deck if kind in kinds]

    def first(self, asker: Client, kind: str) -> Call:
        asker.deck, asker.sent = [kind], asker.sent
        return asker.next()

    def begin(self, name: str) -> None:
        self.phases.append(Phase(name, time.monotonic(), may_fail=NOTHING))

    def migrate(self) -> None:
        self.begin("migrate")
        watch = LockWatch()
        watch.start()
        said, seconds = run(faults.PROJECT, "manage.py", "migrate")
        watch.is_over.set()
        applied = [line for line in said.splitlines() if line.endswith(" OK")]
        self.begin("release before, new schema")
        tries = said.count("No lock within")
        print(f"{len(applied)} migrations in {seconds:.1f} s, {tries} times without a lock")
        print(f"longest wait of anybody for a lock meanwhile: {watch.longest:.2f} s")
        time.sleep(self.seconds)

    def switch(self, name: str, folder: Path) -> None:
        """Let new servers take over: first they are ready, then they are asked, then the old ones end."""
        before = self.pair
        self.pairs.append(Pair.start(folder))
        self.begin(name)
        self.web.target, self.sockets.target = self.pair.web.port, self.pair.sockets.port
        before.stop()
        time.sleep(self.seconds)

    def stop(self) -> dict[str, int]:
        """Return what was promised and is not so."""
        self.traffic.stop()
        groups = {person.group for person in self.traffic.world.people}
        stored = {group: stored_messages(group) for group in groups}
        for _ in range(50):
            if not self.ears.unlike(stored):
                break
            time.sleep(0.2)
        broken = broken_promises(self.traffic.ledger) | {
            "sockets that did not hear all": self.ears.unlike(stored)
        }
        self.ears.stop()
        return broken

    def print_longest_waits(self) -> None:
        """Print the longest that a request took in each phase, a lock's wait in it."""
        ends = [phase.began for phase in self.phases[1:]] + [float("inf")]
        for phase, end in zip(self.phases, ends, strict=True):
            mine = [one for one in self.traffic.answers if one.ended >= phase.began and one.began < end]
            slowest = max(mine, key=lambda one: one.ended - one.began)
            print(f"longest wait, {phase.name:28}{slowest.ended - slowest.began:>7.3f} s  ({slowest.kind})")


def play(old: Path, messages: int, seconds: float) -> tuple[Upgrade, dict[str, int]]:
    run(old, "manage.py", "migrate")
    world = make_old_world(old, people=PEOPLE, messages=messages)
    upgrade = Upgrade(Pair.start(old), world, seconds)
    try:
        upgrade.start()
        upgrade.migrate()
        upgrade.switch("today's code", faults.PROJECT)
        upgrade.switch("taken back", old)
        broken = upgrade.stop()
    finally:
        upgrade.pair.stop()
        faults.complaints([server for pair in upgrade.pairs for server in (pair.web, pair.sockets)])
    return upgrade, broken


def set_up(redis_port: int, files: str) -> Any:
    os.environ.update(faults.ENVIRONMENT, REDIS_URL=f"redis://{faults.HOST}:{redis_port}/0", **UNBOUNDED)
    os.environ["MEDIA_ROOT"] = files  # outlives a release's folder
    sys.path.insert(0, str(faults.PROJECT))
    import django

    django.setup()
    return django


def main() -> int:
    given = [int(argument) for argument in sys.argv[1:]]
    messages, seconds = [*given, *[10_000, 10][len(given) :]]
    revision = previous_release()
    print("from", git("log", "-1", "--format=%h %ad %s", "--date=short", revision).decode().strip())
    redis = faults.redis()
    try:
        with tempfile.TemporaryDirectory() as files, exported(revision) as old:
            set_up(redis.port, files)
            redis.start()
            upgrade, broken = play(old, messages, seconds)
    finally:
        redis.stop()
    is_right = report(upgrade.phases, upgrade.traffic, grace=0)
    upgrade.print_longest_waits()
    print(f"acknowledged: {upgrade.traffic.ledger.counts()}; of that {broken}; sockets: {upgrade.ears.ends}")
    is_right = is_right and not any(broken.values())
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
