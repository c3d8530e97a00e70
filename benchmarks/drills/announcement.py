"""How long an admin waits who mails an announcement to 5,000 people, while a worker sends the ones before it.

By hand, on a private PostgreSQL that ends with it (``make drill PART=announcement``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/announcement.py

Ten announcements are posted with ``sendEmail`` to gunicorn, each once everybody's mail of the one before is
queued, while the worker sends it; then its report is read. Fails where a POST takes 200 ms or more.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final
from urllib.request import Request, urlopen

import faults

PEOPLE: Final = 5_000
POSTS: Final = 10
BAR_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 120
JOBS_AT_LEAST: Final = 10


def fill() -> str:
    """Store the people and an admin; return an access token of the admin's."""
    from authentication.sessions import open_session
    from core.roles import Role
    from users.models import User

    User.objects.bulk_create(
        User(username=f"p{n}", email=f"person{n}@example.org", status="active") for n in range(PEOPLE - 1)
    )
    admin = User.objects.create_user(email="desk@example.org", role=Role.ADMIN, status="active")
    return open_session(admin, user_agent="").access


def call(url: str, token: str, body: Any = None) -> tuple[float, Any]:
    """Return how many seconds an answer took, and the answer."""
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - http alone
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    began = time.monotonic()
    with urlopen(request, timeout=30) as response:  # noqa: S310
        document = json.load(response)
    return time.monotonic() - began, document


def wait_for_worker() -> None:
    """Return when what all jobs do at a start is done."""
    from core.models import PeriodicRun

    over = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < over and PeriodicRun.objects.exclude(last_result={}).count() < JOBS_AT_LEAST:
        time.sleep(0.5)


def wait_until_queued(url: str, token: str) -> dict[str, int]:
    """Return what became of the mails of an announcement once everybody has a delivery."""
    over = time.monotonic() + PATIENCE_SECONDS
    while True:
        states: dict[str, int] = call(url, token)[1]["states"]
        if time.monotonic() > over or sum(states.values()) == PEOPLE:
            return {state: number for state, number in states.items() if number}
        time.sleep(0.5)


def post_and_read(http: faults.Server, token: str) -> tuple[list[float], list[float]]:
    """Return how long each POST took, and each report. A first announcement, without mail, is not counted."""
    base = f"http://{faults.HOST}:{http.port}/api/announcements/"
    body = {"title": "Drill", "summary": "All of you", "content": "Once *each*."}
    call(base + f"{call(base, token, body)[1]['id']}/mail/", token)
    posts, reports = [], []
    for n in range(POSTS):
        seconds, made = call(base, token, {**body, "sendEmail": True})
        posts.append(seconds)
        states = wait_until_queued(f"{base}{made['id']}/mail/", token)
        reports.append(call(f"{base}{made['id']}/mail/", token)[0])
        print(f"{n}: posted in {seconds * 1_000:.0f} ms, report in {reports[-1] * 1_000:.0f} ms, {states}")
    return posts, reports


def main() -> int:
    redis, server = faults.prepare_with_mail()
    server.start()
    token = fill()
    http = faults.http_server()
    background = [faults.worker(), faults.clock()]
    try:
        http.start()
        faults.wait_until_ready(http)
        for process in background:
            process.start()
        wait_for_worker()
        posts, reports = post_and_read(http, token)
    finally:
        faults.stop(http, *background, redis, server)
    print(f"mails that the server has taken by then: {len(server.taken)}")
    faults.spread("POST with sendEmail", posts)
    faults.spread("report on its mail", reports)
    right = max(posts) < BAR_SECONDS and bool(server.taken)
    return faults.verdict(is_right=right)


if __name__ == "__main__":
    sys.exit(main())
