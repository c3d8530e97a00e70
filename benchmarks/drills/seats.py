"""Whether an event ever has more people than seats, however many want them at once (SAFETY R9).

By hand, on a private PostgreSQL that ends with it (``make drill PART=seats``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/seats.py [ROUNDS]

In each of 20 rounds 200 people register at once over gunicorn for the 50 seats of a new event. Fails unless
50 are seated, 150 are told that it is full, and nobody gets anything else.
"""

from __future__ import annotations

import http.client
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

import faults

SEATS, PEOPLE = 50, 200
EXPECTED: Final = Counter({201: SEATS, 409: PEOPLE - SEATS})


def fill() -> list[str]:
    """Store the people; return an access token of each."""
    from authentication.sessions import open_session
    from users.models import User

    users = [User.objects.create_user(email=f"p{n}@example.org", status="active") for n in range(PEOPLE)]
    return [open_session(user, user_agent="").access for user in users]


def new_event() -> int:
    from events.models import Event

    fields = {"title": "Drill", "date": "2040-01-01", "time": "noon", "location": "x", "type": "virtual"}
    return int(Event.objects.create(**fields, capacity=SEATS).pk)


def register(port: int, event: int, token: str, start: Barrier) -> int:
    line = http.client.HTTPConnection(faults.HOST, port, timeout=60)
    line.connect()
    start.wait()
    line.request("POST", f"/api/events/{event}/register/", headers={"Authorization": f"Bearer {token}"})
    status = line.getresponse().status
    line.close()
    return status


def round_of(port: int, tokens: list[str]) -> tuple[Counter[int], int, float]:
    """Let all register at once; return the answers, how many are seated, and the seconds it took."""
    from events.models import EventRegistration

    event, start = new_event(), Barrier(PEOPLE)
    started = time.monotonic()
    with ThreadPoolExecutor(PEOPLE) as pool:
        answers = Counter(pool.map(lambda token: register(port, event, token, start), tokens))
    seconds = time.monotonic() - started
    return answers, EventRegistration.objects.filter(event=event).count(), seconds


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    redis = faults.redis()
    redis.start()
    faults.prepare(redis.port)
    server = faults.http_server(workers=2)
    try:
        tokens = fill()
        server.start()
        faults.wait_until_ready(server)
        results = [round_of(server.port, tokens) for _ in range(rounds)]
    finally:
        server.stop()
        redis.stop()
    whole = sum((answers for answers, _, _ in results), Counter[int]())
    print(f"{rounds} rounds of {PEOPLE} people for {SEATS} seats: {dict(whole)}")
    print(f"seated: {sorted({seated for _, seated, _ in results})}")
    print(f"a round took {statistics.median(seconds for _, _, seconds in results):.2f} s (median)")
    as_expected = all(answers == EXPECTED and seated == SEATS for answers, seated, _ in results)
    return faults.verdict(is_right=as_expected)


if __name__ == "__main__":
    sys.exit(main())
