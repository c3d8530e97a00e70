"""Everything at once: the whole topology under 50 requests a second while its parts fail one after another.

By hand, on private servers that end with it (``make drill PART=storm``; about four minutes):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/storm.py [REDIS_SECONDS]

NGINX, gunicorn, two uvicorn, workers and clock (``scripts/prod_local.sh``), a bucket and a mail server. 100
people read, post, tick, register, upload, refresh and ask for links over TLS; 40 sockets listen and return.
Redis is killed for 30 s, PostgreSQL restarted as by a power cut, a gunicorn worker killed, NGINX reloaded, a
socket server killed; then the bucket fails, then the mail server. Fails unless all that was acknowledged is
there, requests fail with clean 503s alone, those that need the part, while it is away and 10 s after, and all
sockets are back within 10 s and have heard every message once and in order.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import faults
from ears import Ears
from hub import Hub
from phases import Phase, report
from proxy import Fault, Proxy
from traffic import Traffic
from world import UNBOUNDED, World, broken_promises, make_world, stored_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.tests.smtp import SmtpServer

PEOPLE, LISTENERS, PER_SECOND = 100, 20, 50
REDIS_SECONDS: Final = 30
SETTLE_SECONDS: Final = 14
GRACE_SECONDS: Final = 10.0
NOTHING: Final = frozenset[str]()
STORE_FAULTS: Final = (
    (Fault(says=b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), 8),
    (Fault(resets=True), 8),
    (Fault(refuses=True), 8),
    (Fault(is_black_hole=True), 15),
)


class Storm:
    """The topology, what it depends on, who uses it, and what befalls them."""

    def __init__(self, redis_seconds: float) -> None:
        sys.path.insert(0, str(faults.PROJECT))
        from core.tests.s3 import BUCKET, S3Server
        from core.tests.smtp import SmtpServer

        self.redis_seconds = redis_seconds
        self.redis, self.smtp = faults.redis(), SmtpServer()
        self.redis.start()
        self.smtp.start()
        self.bucket = S3Server()
        self.store = Proxy(self.bucket.port).start()
        settings = {
            **UNBOUNDED,
            "EMAIL_HOST": faults.HOST,
            "EMAIL_PORT": str(self.smtp.port),
            "VULTR_ACCESS_KEY": "key",
            "VULTR_SECRET_KEY": "secret",
            "VULTR_BUCKET_NAME": BUCKET,
            "VULTR_S3_ENDPOINT": f"http://{faults.HOST}:{self.store.port}",
        }
        os.environ.update(settings, REDIS_URL=f"redis://{faults.HOST}:{self.redis.port}/0")
        self.hub = Hub()
        self.phases: list[Phase] = []
        self.traffic: Traffic
        self.ears: Ears

    def begin(self) -> World:
        self.hub.start()
        self.hub.set_up_django()
        faults.make_durable()
        world = make_world(PEOPLE)
        self.traffic = Traffic(self.hub.base, world, per_second=PER_SECOND, context=self.hub.trust)
        sockets = self.hub.base.replace("https", "wss")
        self.ears = Ears(sockets, world.people[:: PEOPLE // LISTENERS], context=self.hub.trust).start()
        if not self.ears.wait_until_open():
            raise SystemExit(f"FAILED: sockets do not open: {self.ears.ends}")
        return world

    def play(self) -> None:
        self.phases.append(Phase("all well", time.monotonic()))
        self.traffic.start()
        time.sleep(SETTLE_SECONDS)
        self.phase("Redis killed", self.kill_redis, frozenset({"sign-in"}))
        self.phase("PostgreSQL restarted", faults.crash_database)
        self.phase("gunicorn worker killed", lambda: self.kill(self.hub.children_of("http")[0]))
        self.phase("NGINX reloaded", lambda: self.hub.control("signal", "HUP", "nginx"), NOTHING)
        self.phase("socket server killed", lambda: self.kill(self.hub.pid_of("sockets-1")), NOTHING)
        self.phase("bucket fails", self.break_store, frozenset({"upload"}))
        self.phase("mail server fails", self.break_mail, NOTHING)
        self.traffic.stop()

    def phase(
        self, name: str, befall: Callable[[], Any], may_fail: frozenset[str] = frozenset({"*"})
    ) -> None:
        """Let something befall; it is over when ``befall`` returns."""
        self.phases.append(Phase(name, time.monotonic(), time.monotonic() + 3_600, may_fail))
        befall()
        self.phases[-1].mended = time.monotonic()
        time.sleep(SETTLE_SECONDS)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def kill_redis(self) -> None:
        self.redis.kill()
        time.sleep(self.redis_seconds)
        self.redis.start()

    def break_store(self) -> None:
        for fault, seconds in STORE_FAULTS:
            self.store.fault = fault
            time.sleep(seconds)
        self.store.fault = Fault()

    def break_mail(self) -> None:
        self.smtp.stop()
        time.sleep(10)
        self.smtp.is_silent = True
        self.smtp.start()
        time.sleep(10)
        self.smtp.stop()
        self.smtp.is_silent = False
        self.smtp.start()

    def end(self) -> None:
        self.hub.stop()
        self.store.stop()
        self.bucket.end()
        self.smtp.stop()
        self.redis.stop()


def sockets_are_back(storm: Storm) -> bool:
    """Print when the sockets came back in each phase; tell whether all did in time."""
    ends = [phase.began for phase in storm.phases[1:]] + [time.monotonic()]
    is_right = all(ear.is_open for ear in storm.ears.all)
    for phase, end in zip(storm.phases[1:], ends[1:], strict=True):
        moments = [at - phase.mended for at in storm.ears.came_back(phase.began, end)]
        if moments:
            print(f"{phase.name:28}sockets back {len(moments)}, the last {max(moments):.1f} s after its end")
            is_right = is_right and max(moments) <= GRACE_SECONDS
    return is_right


def mails_came(links: int, smtp: SmtpServer, seconds: float = 60) -> bool:
    """Print how many of those who were told that a mail is on its way got theirs; tell whether all did."""
    over = time.monotonic() + seconds
    while len(asked := {taken.to for taken in smtp.taken if taken.to.startswith("new")}) < links:
        if time.monotonic() > over:
            break
        time.sleep(0.5)
    print(f"links acknowledged {links}, mailed to {len(asked)}; mails of all kinds {len(smtp.taken)}")
    return len(asked) >= links


def is_kept(storm: Storm, world: World) -> bool:
    """Print what became of what was acknowledged; tell whether all of it is there."""
    from django.db import connection

    connection.close()  # it died, too
    broken = broken_promises(storm.traffic.ledger)
    stored = {group: stored_messages(group) for group in {one.group for one in world.people}}
    over = time.monotonic() + GRACE_SECONDS
    while storm.ears.unlike(stored) and time.monotonic() < over:
        time.sleep(0.2)
    unlike = storm.ears.unlike(stored)
    print(f"acknowledged: {storm.traffic.ledger.counts()}; of that {broken}")
    print(f"sockets {len(storm.ears.all)}, with another list than is stored {unlike}; ends {storm.ears.ends}")
    return not any(broken.values()) and not unlike


def main() -> int:
    storm = Storm(float(sys.argv[1]) if len(sys.argv) > 1 else REDIS_SECONDS)
    try:
        world = storm.begin()
        storm.play()
        results = [report(storm.phases, storm.traffic, grace=GRACE_SECONDS)]
        results += [sockets_are_back(storm), is_kept(storm, world)]
        results.append(mails_came(storm.traffic.ledger.links, storm.smtp))
        crashes = sum(text.count("unhandled_error") for text in storm.hub.logs().values())
        print(f"unhandled errors in the logs: {crashes}")
        results.append(not crashes)
        storm.ears.stop()
    finally:
        storm.end()
    return faults.verdict(is_right=all(results))


if __name__ == "__main__":
    sys.exit(main())
