"""Whether the time of an answer tells which addresses have an account (SAFETY R22, B01).

By hand, on a private PostgreSQL that ends with it (``make drill PART=enumeration``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/enumeration.py [REQUESTS]

500 times each, interleaved at random, a known, an unknown, a suspended and a pending address ask for a
link, while the mail server answers after 2 s. Fails where a median is more than 2 ms from the unknown's,
where a rank test tells two apart (p <= 0.01), where bodies or the names of headers differ, or where an answer
takes 300 ms.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import sys
import time
from itertools import chain
from typing import Final

import faults

REQUESTS: Final = 500
MEDIANS_APART: Final = 0.002
LEAST_P: Final = 0.01
SLOWEST_SECONDS: Final = 0.3
MAIL_SECONDS: Final = 2
KINDS: Final = {"known": "active", "suspended": "inactive", "pending": "pending", "unknown": None}

Answers = dict[str, list[tuple[float, str]]]


def rank_test(first: list[float], second: list[float]) -> float:
    """Return the two-sided p of Mann and Whitney's U, by the normal approximation (no ties in a clock)."""
    marked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, mark) in enumerate(marked, start=1) if mark == 0)
    n, m = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    spread = (n * m * (n + m + 1) / 12) ** 0.5
    z = abs(u - n * m / 2) / spread
    return 2 * (1 - statistics.NormalDist().cdf(z))


def make_people(count: int) -> None:
    from users.models import User

    for kind, status in KINDS.items():
        if status is not None:
            rows = (
                User(email=f"{kind}{n}@example.org", username=f"{kind}{n}@example.org", status=status)
                for n in range(count)
            )
            User.objects.bulk_create(rows)


def ask(line: http.client.HTTPConnection, address: str) -> tuple[float, str]:
    """Return how long the answer took, and all of it that could tell."""
    body = json.dumps({"email": address})
    began = time.perf_counter()
    line.request("POST", "/api/auth/magic-link/", body, {"Content-Type": "application/json"})
    response = line.getresponse()
    text = response.read()
    seconds = time.perf_counter() - began
    return seconds, f"{response.status} {sorted(response.headers)} {text.decode()}"


def measure(port: int, count: int) -> Answers:
    line = http.client.HTTPConnection(faults.HOST, port, timeout=30)
    for n in range(100):  # warms threads, connections and caches
        ask(line, f"warm{n}@example.org")
    order = [(kind, n) for kind in KINDS for n in range(count)]
    random.Random(1).shuffle(order)  # noqa: S311 - no secret
    answers: Answers = {kind: [] for kind in KINDS}
    for kind, n in order:
        answers[kind].append(ask(line, f"{kind}{n}@example.org"))
    line.close()
    return answers


def is_right(answers: Answers) -> bool:
    unknown = [seconds for seconds, _ in answers["unknown"]]
    right = True
    for kind, rows in answers.items():
        times = [seconds for seconds, _ in rows]
        apart = statistics.median(times) - statistics.median(unknown)
        p = rank_test(times, unknown) if kind != "unknown" else 1.0
        print(
            f"{kind:12}median {statistics.median(times) * 1_000:7.2f} ms, apart {apart * 1_000:+6.2f} ms, "
            f"p {p:.3f}, slowest {max(times) * 1_000:.0f} ms"
        )
        right = right and abs(apart) <= MEDIANS_APART and p > LEAST_P and max(times) <= SLOWEST_SECONDS
    words = {said for _, said in chain.from_iterable(answers.values())}
    print(f"different answers: {len(words)}", words if len(words) > 1 else "")
    return right and len(words) == 1


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    redis = faults.redis()
    redis.start()
    sys.path.insert(0, str(faults.PROJECT))
    from core.tests.smtp import Reply, SmtpServer

    smtp = SmtpServer(lambda _: Reply(stall_seconds=MAIL_SECONDS)).start()
    off = {"MAGIC_LINK_PER_ADDRESS": "", "MAGIC_LINK_PER_SOURCE": ""}
    faults.prepare(redis.port, EMAIL_HOST=faults.HOST, EMAIL_PORT=str(smtp.port), **off)
    web, worker = faults.http_server(), faults.worker("sign-in")
    try:
        make_people(count)
        for server in (web, worker):
            server.start()
        faults.wait_until_ready(web)
        right = is_right(measure(web.port, count))
    finally:
        faults.stop(worker, web, redis, smtp)
    return faults.verdict(is_right=right)


if __name__ == "__main__":
    sys.exit(main())
