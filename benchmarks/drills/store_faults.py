"""What people notice while the bucket fails, hangs up or stalls for two minutes (SAFETY R7).

By hand, on a private PostgreSQL that ends with it (``make drill PART=store_faults``; about five minutes):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/store_faults.py [STALL_SECONDS]

50 requests a second over gunicorn, of which three are uploads, into a bucket behind a proxy. Fails unless
uploads are answered with a clean 503 within 10 s while it fails, the p99 of everything else at most doubles,
every row has its object, and the sweeper leaves no object without a row.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import Final

import faults
from phases import Phase, report
from proxy import Fault, Proxy
from traffic import Traffic
from world import UNBOUNDED, broken_promises, make_world

PEOPLE, PER_SECOND = 100, 50
QUIET_SECONDS, FAULT_SECONDS, STALL_SECONDS = 30, 20, 120
SETTLE_SECONDS: Final = 12
LONGEST_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 10.0
OOPS: Final = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def play(traffic: Traffic, store: Proxy, stall_seconds: float) -> list[Phase]:
    plan = {
        "bucket answers 500": (Fault(says=OOPS), FAULT_SECONDS),
        "bucket resets": (Fault(resets=True), FAULT_SECONDS),
        "bucket stalls": (Fault(delay_seconds=30), stall_seconds),
    }
    phases = [Phase("all well", time.monotonic())]
    traffic.start()
    time.sleep(QUIET_SECONDS)
    for name, (fault, seconds) in plan.items():
        phases.append(Phase(name, time.monotonic(), time.monotonic() + 3_600, frozenset({"upload"})))
        store.fault = fault
        time.sleep(seconds)
        store.fault = Fault()
        phases[-1].mended = time.monotonic()
        time.sleep(SETTLE_SECONDS)
    traffic.stop()
    return phases


def others_are_quick(phases: list[Phase], traffic: Traffic) -> bool:
    """Print how long others waited in each phase, and uploads at most; tell whether all is within bounds."""
    p99s, longest = [], 0.0
    ends = [phase.began for phase in phases[1:]] + [float("inf")]
    for phase, end in zip(phases, ends, strict=True):
        mine = [answer for answer in traffic.answers if phase.began <= answer.ended < end]
        others = [answer.ended - answer.began for answer in mine if answer.kind != "upload"]
        uploads = [answer.ended - answer.began for answer in mine if answer.kind == "upload"]
        longest = max([longest, *uploads])
        p99s.append(faults.spread(f"{phase.name}: others", others))
    print(f"slowest upload {longest:.1f} s (at most {LONGEST_SECONDS:.0f})")
    return max(p99s[1:]) <= 2 * p99s[0] and longest <= LONGEST_SECONDS


def nothing_is_left(bucket_keys: list[str]) -> bool:
    """Print what lies in the bucket without a row before and after the sweeper, as if a day had gone by."""
    from core.models import Upload
    from core.uploads import reaper

    rows = set(Upload.objects.values_list("key", flat=True))
    orphans = set(bucket_keys) - rows
    reaper.ORPHANS_AFTER = timedelta(0)  # type: ignore[misc]
    found = reaper.reap()
    print(f"objects {len(bucket_keys)}, rows {len(rows)}, without a row {len(orphans)}; sweeper {found}")
    return found["orphans_deleted"] == len(orphans)


def main() -> int:
    stall_seconds = float(sys.argv[1]) if len(sys.argv) > 1 else STALL_SECONDS
    redis = faults.redis()
    redis.start()
    sys.path.insert(0, str(faults.PROJECT))
    from core.tests.s3 import BUCKET, S3Server

    bucket = S3Server()
    store = Proxy(bucket.port).start()
    vultr = {"ACCESS_KEY": "key", "SECRET_KEY": "secret", "BUCKET_NAME": BUCKET}
    vultr["S3_ENDPOINT"] = f"http://{faults.HOST}:{store.port}"
    faults.prepare(redis.port, **UNBOUNDED, **{f"VULTR_{name}": value for name, value in vultr.items()})
    web = faults.http_server(workers=2)
    try:
        world = make_world(PEOPLE)
        web.start()
        faults.wait_until_ready(web)
        traffic = Traffic(f"http://{faults.HOST}:{web.port}", world, per_second=PER_SECOND)
        phases = play(traffic, store, stall_seconds)
        results = [report(phases, traffic, grace=GRACE_SECONDS), others_are_quick(phases, traffic)]
        broken = broken_promises(traffic.ledger)
        results.append(nothing_is_left(bucket.keys()))
        results.append(sorted(bucket.keys()) == stored_keys())
    finally:
        web.stop()
        store.stop()
        bucket.end()
        redis.stop()
    print(f"acknowledged: {traffic.ledger.counts()}; of that {broken}")
    is_right = all(results) and not any(broken.values())
    return faults.verdict(is_right=is_right)


def stored_keys() -> list[str]:
    """Return the keys that rows name: each must have its object, and no other may be left."""
    from core.models import Upload

    return sorted(Upload.objects.values_list("key", flat=True))


if __name__ == "__main__":
    sys.exit(main())
