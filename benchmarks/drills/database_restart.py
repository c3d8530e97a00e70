"""What people notice when PostgreSQL ends as in a power cut, under 50 requests a second (SAFETY R4).

By hand, on a private PostgreSQL that ends with it (``make drill PART=database_restart``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/database_restart.py [RESTARTS]

Mixed traffic over gunicorn, three restarts (``pg_ctl restart -m immediate``). Fails unless what is refused
is refused with a clean 503 while it is away and within 2 s after, ``live`` answers 200 all the time, and
everything that was acknowledged is there.
"""

from __future__ import annotations

import sys
import time
from threading import Event, Thread
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import faults
from phases import Phase, report
from traffic import Traffic
from world import UNBOUNDED, broken_promises, make_world

PEOPLE: Final = 100
PER_SECOND: Final = 50
BETWEEN_SECONDS: Final = 10
GRACE_SECONDS: Final = 2.0
ON_OTHERS_SECONDS: Final = 0.1


def watch_live(port: int, is_over: Event) -> list[str]:
    """Ask ``live`` ten times a second, and return what was not 200."""
    wrong = []
    while not is_over.is_set():
        try:
            urlopen(f"http://{faults.HOST}:{port}/api/health/live/", timeout=10).close()
        except URLError as error:
            wrong.append(str(error))
        time.sleep(ON_OTHERS_SECONDS)
    return wrong


def play(port: int, traffic: Traffic, restarts: int) -> tuple[list[Phase], list[str]]:
    is_over, wrong = Event(), list[str]()
    watching = Thread(target=lambda: wrong.extend(watch_live(port, is_over)))
    phases = [Phase("before", time.monotonic())]
    watching.start()
    traffic.start()
    for n in range(restarts):
        time.sleep(BETWEEN_SECONDS)
        phases.append(Phase(f"PostgreSQL, restart {n + 1}", time.monotonic()))
        faults.crash_database()
        phases[-1].mended = time.monotonic()
    time.sleep(BETWEEN_SECONDS)
    traffic.stop()
    is_over.set()
    watching.join()
    return phases, wrong


def main() -> int:
    restarts = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    redis = faults.redis()
    redis.start()
    faults.prepare(redis.port, **UNBOUNDED)
    web = faults.http_server(workers=2)
    try:
        faults.make_durable()
        world = make_world(PEOPLE)
        web.start()
        faults.wait_until_ready(web)
        traffic = Traffic(f"http://{faults.HOST}:{web.port}", world, per_second=PER_SECOND)
        phases, wrong = play(web.port, traffic, restarts)
        from django.db import connection

        connection.close()  # it died, too
        broken = broken_promises(traffic.ledger)
    finally:
        web.stop()
        redis.stop()
    faults.complaints([web])
    is_right = report(phases, traffic, grace=GRACE_SECONDS)
    print(f"live, not 200: {len(wrong)}", wrong[:3])
    print(f"acknowledged: {traffic.ledger.counts()}; of that {broken}")
    is_right = is_right and not wrong and not any(broken.values())
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
