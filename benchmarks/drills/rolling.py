"""Whether people notice that every server of the topology is restarted, one after another (SAFETY R16, R17).

By hand, on a private PostgreSQL and Redis that end with it (``make drill PART=rolling``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/rolling.py [PEOPLE [PER_SECOND]]

All of production on loopback, behind NGINX; mixed traffic, and two sockets a person. gunicorn is reloaded
three times, each uvicorn restarted, NGINX reloaded. Fails unless every request is answered well, what was
acknowledged is there, sockets are closed with 1012 alone, all are back and know all within 10 s, everybody
has heard each message once and in order, and PostgreSQL has no more connections than old and new threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from threading import Event, Thread
from typing import Final
from urllib.request import urlopen

from ears import Ears
from faults import PROJECT, verdict
from hub import Hub
from phases import Phase, report
from traffic import Traffic
from world import UNBOUNDED, broken_promises, make_world, stored_messages

BETWEEN_SECONDS: Final = 8
BACK_SECONDS: Final = 10.0
RELOADS: Final = 3
SETTLED_SECONDS: Final = 30
NOTHING: Final = frozenset[str]()
# gunicorn's 2 x 8 threads, twice while workers overlap; 4 of each uvicorn, 2 of each worker; the clock.
CONNECTIONS: Final = 2 * 16 + 2 * 4 + 2 * 2 + 1
OURS: Final = 2  # this drill's own


class Gauge(Thread):
    """Counts PostgreSQL's connections four times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.is_over, self.most = Event(), 0

    def run(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            while not self.is_over.wait(0.25):
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                self.most = max(self.most, cursor.fetchone()[0] - OURS)
        connection.close()


class Rolling:
    """The hub, who uses it, and how long sockets took to come back."""

    def __init__(self, hub: Hub, people: int, per_second: float) -> None:
        self.hub, self.world = hub, make_world(people, events=10)
        self.traffic = Traffic(hub.base, self.world, per_second=per_second, context=hub.trust)
        self.ears = Ears(hub.base.replace("https", "wss"), self.world.people, context=hub.trust)
        self.phases: list[Phase] = []
        self.back: dict[str, float] = {}

    def play(self) -> None:
        self.ears.start()
        if not self.ears.wait_until_open(120):
            raise SystemExit(f"Not all sockets open: {self.ears.ends}")
        self.begin("before")
        self.traffic.start()
        time.sleep(BETWEEN_SECONDS)
        for n in range(RELOADS):
            self.begin(f"gunicorn, reload {n + 1}")
            self.reload()
        for program in ("sockets-1", "sockets-2"):
            self.restart(program)
        self.begin("NGINX, reload")
        self.hub.control("signal", "HUP", "nginx")
        time.sleep(BETWEEN_SECONDS)
        self.traffic.stop()

    def begin(self, name: str) -> None:
        self.phases.append(Phase(name, time.monotonic(), may_fail=NOTHING))

    def reload(self) -> None:
        """Have gunicorn change its workers, as an operator does; return when the old ones are gone."""
        began = time.monotonic()
        command = [sys.executable, "deploy/reload.py", str(self.hub.pid_of("http"))]
        environment = {**os.environ, **self.hub.environment}
        subprocess.run(command, cwd=PROJECT, env=environment, check=True)  # noqa: S603 - our own
        print(f"gunicorn: all workers new after {time.monotonic() - began:.1f} s")
        time.sleep(BETWEEN_SECONDS)

    def wait_until_alive(self, address: str) -> None:
        over = time.monotonic() + SETTLED_SECONDS * 4
        while time.monotonic() < over:
            with suppress(OSError):
                urlopen(f"http://{address}/api/health/live/", timeout=SETTLED_SECONDS).close()
                return
            time.sleep(0.2)
        raise SystemExit(f"Nobody answers at {address}")

    def restart(self, program: str) -> None:
        """Restart one uvicorn; measure until its clients are back and know what was said meanwhile."""
        self.begin(f"uvicorn, {program}")
        began, were = time.monotonic(), sum(self.ears.ends.values())
        self.hub.control("restart", program)
        self.ears.wait_until_open(SETTLED_SECONDS)
        self.wait_until_heard(self.stored())
        self.back[program] = time.monotonic() - began
        self.wait_until_alive(self.hub.environment[f"HUB_SOCKETS_{program[-1]}"])
        print(
            f"{program}: {sum(self.ears.ends.values()) - were} sockets back after {self.back[program]:.1f} s"
        )
        time.sleep(BETWEEN_SECONDS)

    def stored(self) -> dict[str, list[str]]:
        return {group: stored_messages(group) for group in {person.group for person in self.world.people}}

    def wait_until_heard(self, stored: dict[str, list[str]]) -> None:
        """Wait until each ear of a conversation has heard so much, or a while is over."""
        over = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < over and not self.have_heard(stored):
            time.sleep(0.1)

    def have_heard(self, stored: dict[str, list[str]]) -> bool:
        chats = [ear for ear in self.ears.all if ear.is_chat]
        return all(len(ear.heard) >= len(stored[ear.person.group]) for ear in chats)


def main() -> int:
    given = [int(argument) for argument in sys.argv[1:]]
    people, per_second = [*given, *[250, 20][len(given) :]]
    hub = Hub(**UNBOUNDED)
    gauge = Gauge()
    try:
        hub.start()
        sys.path.insert(0, str(PROJECT))
        hub.set_up_django()
        rolling = Rolling(hub, people, per_second)
        gauge.start()
        rolling.play()
        stored = rolling.stored()
        rolling.wait_until_heard(stored)
        broken = broken_promises(rolling.traffic.ledger)
        broken["sockets that did not hear all, once, in order"] = rolling.ears.unlike(stored)
        rolling.ears.stop()
        gauge.is_over.set()
    finally:
        hub.stop()
    is_right = report(rolling.phases, rolling.traffic, grace=0)
    print(f"sockets: {len(rolling.ears.all)}, ended: {rolling.ears.ends}")
    print(f"PostgreSQL connections: {gauge.most} at most (bound {CONNECTIONS})")
    print(f"acknowledged: {rolling.traffic.ledger.counts()}; of that {broken}")
    is_right = is_right and not any(broken.values()) and gauge.most <= CONNECTIONS
    is_right = is_right and max(rolling.back.values()) <= BACK_SECONDS and set(rolling.ears.ends) <= {"1012"}
    return verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
