"""Whether sign-in mail leaves whatever the mail server, the workers and 5,000 other mails do (SAFETY R6).

By hand, on a private PostgreSQL that ends with it (``make drill PART=sign_in_mail``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/sign_in_mail.py

1. For each of four faults of the SMTP server (away, silent, "later", slow by 30 s) people ask for a link
   over gunicorn meanwhile: every answer must be 200, the slowest percent within 200 ms. Then the server is
   well again: every mail must leave within 60 s, though the worker is killed five times while they do; for
   each kill at most one may come twice, with the same Message-ID.
2. 5,000 announcement mails lie in the queue, which the server takes in 20 ms each: how long a sign-in mail
   takes from the request to the mailbox, with one worker for everything (at most 6 s), and with one more
   for sign-in (at most 1.5 s).
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.tests.smtp import SmtpServer

PER_FAULT: Final = 250
FAULT_SECONDS: Final = 20
BACKLOG: Final = 5_000
ASKED: Final = 20
KILLS: Final = 5
RECOVERY_SECONDS: Final = 60
SLOWEST_SECONDS: Final = 0.2
ALONE_SECONDS: Final = 6  # two turns of other work, and some
BESIDE_SECONDS: Final = 1.5


def ask(port: int, address: str) -> tuple[int, float]:
    """Ask for a link; return the status and how long the answer took."""
    started = time.monotonic()
    line = http.client.HTTPConnection(faults.HOST, port, timeout=30)
    body, headers = json.dumps({"email": address}), {"Content-Type": "application/json"}
    line.request("POST", "/api/auth/magic-link/", body, headers)
    status = line.getresponse().status
    line.close()
    return status, time.monotonic() - started


def break_server(server: SmtpServer, name: str) -> None:
    from core.tests.smtp import Reply

    if name == "away":
        server.stop()
    elif name == "silent":
        server.is_silent = True
    elif name == "later":
        server.reply = lambda _: Reply(rcpt="451 4.3.0 Later")
    else:
        server.reply = lambda _: Reply(stall_seconds=30)


def mend_server(server: SmtpServer) -> None:
    from core.tests.smtp import TAKE

    server.reply, server.is_silent = (lambda _: TAKE), False
    server.stop()
    server.start()


def wait_for(server: SmtpServer, addresses: set[str], worker: faults.Worker) -> float:
    """Wait until all have their mail, killing the worker five times meanwhile; return the seconds it took."""
    started, kills = time.monotonic(), [len(addresses) * n // (KILLS + 1) for n in range(1, KILLS + 1)]
    while time.monotonic() - started < 3 * RECOVERY_SECONDS:
        there = len(addresses & {taken.to for taken in server.taken})
        if there == len(addresses):
            break
        if kills and there >= kills[0]:
            kills.pop(0)
            worker.kill()
            worker.start()
        time.sleep(0.05)
    return time.monotonic() - started


def fault(name: str, server: SmtpServer, port: int, worker: faults.Worker) -> bool:
    """Have people ask during a fault; return whether all was well."""
    addresses = [f"{name}{n}@example.org" for n in range(PER_FAULT)]
    break_server(server, name)
    answers = []
    for address in addresses:
        answers.append(ask(port, address))
        time.sleep(FAULT_SECONDS / PER_FAULT)
    statuses = Counter(status for status, _ in answers)
    p99 = faults.spread(f"{name}: answer", [seconds for _, seconds in answers])
    mend_server(server)
    seconds = wait_for(server, set(addresses), worker)
    got = Counter(taken.to for taken in server.taken if taken.to in set(addresses))
    doubled = [address for address, count in got.items() if count > 1]
    same = all(len({taken.id for taken in server.to(address)}) == 1 for address in doubled)
    print(
        f"{name}: {dict(statuses)}, mails {len(got)}, lost {PER_FAULT - len(got)}, "
        f"twice {len(doubled)}, all out after {seconds:.1f} s"
    )
    well = statuses == {200: PER_FAULT} and len(got) == PER_FAULT and same and len(doubled) <= KILLS
    return well and p99 <= SLOWEST_SECONDS and seconds <= RECOVERY_SECONDS


def fill_queue(kind_data: dict[str, Any]) -> None:
    """Queue 5,000 mails as a fan-out does."""
    from django.utils import timezone

    from announcements.models import Announcement
    from core.models import Delivery, Notice
    from users.models import User

    Delivery.objects.all().delete()
    Notice.objects.all().delete()
    told_at = timezone.now()
    row = Announcement.objects.create(
        title="Backlog", summary="Many", told_at=told_at, mail_requested_at=told_at
    )
    data = {"id": row.pk, "title": row.title, "summary": row.summary, **kind_data}
    notice = Notice.objects.create(
        kind="announcement", subject=str(row.pk), data=data, audience="all", fanned_out_at=timezone.now()
    )
    people = User.objects.filter(email__startswith="backlog").values_list("pk", flat=True)
    Delivery.objects.bulk_create(
        Delivery(notice=notice, person_id=one, state="queued", due_at=timezone.now()) for one in people
    )


def make_people() -> None:
    from users.models import User

    rows = (
        User(email=f"backlog{n}@example.org", username=f"backlog{n}", status="active") for n in range(BACKLOG)
    )
    User.objects.bulk_create(rows)


def backlog(name: str, server: SmtpServer, port: int, processes: list[faults.Worker]) -> float:
    """Print how long sign-in mails take behind the backlog; return the slowest."""
    from core.models import Delivery
    from core.notifications.fanout import SEND
    from core.tasks import enqueue
    from core.tests.smtp import Reply

    server.reply = lambda address: Reply(stall_seconds=0.02 if address.startswith("backlog") else 0)
    fill_queue({"link": None})
    for _ in range(25):  # as many as a fan-out to 5,000 people starts
        enqueue(SEND)
    for process in processes:
        process.start()
    until(lambda: Delivery.objects.filter(state="sent").count() > 100)  # noqa: PLR2004
    seconds = []
    for n in range(ASKED):
        address, started = f"{name}{n}@example.org", time.monotonic()
        ask(port, address)
        until(lambda address=address: bool(server.to(address)))  # type: ignore[misc]
        seconds.append(time.monotonic() - started)
    left = Delivery.objects.filter(state="queued").count()
    for process in processes:
        process.stop()
    print(f"{name}: {left} of {BACKLOG} still queued at the end")
    faults.spread(f"{name}: request to mailbox", seconds)
    return max(seconds)


def until(is_true: Callable[[], bool], patience: float = 120) -> None:
    over = time.monotonic() + patience
    while not is_true():
        if time.monotonic() > over:
            raise SystemExit("FAILED: what was waited for did not come")
        time.sleep(0.02)


def main() -> int:
    redis, server = faults.prepare_with_mail(MAGIC_LINK_PER_ADDRESS="", MAGIC_LINK_PER_SOURCE="")
    server.start()
    web, clock, worker = faults.http_server(workers=2), faults.clock(), faults.worker()
    try:
        make_people()
        for process in (web, clock, worker):
            process.start()
        faults.wait_until_ready(web)
        results = [fault(name, server, web.port, worker) for name in ("away", "silent", "later", "slow")]
        worker.stop()
        alone = backlog("alone", server, web.port, [faults.worker()])
        beside = backlog("beside", server, web.port, [faults.worker("sign-in"), faults.worker()])
        results += [alone <= ALONE_SECONDS, beside <= BESIDE_SECONDS]
    finally:
        faults.stop(web, clock, worker, redis, server)
    return faults.verdict(is_right=all(results))


if __name__ == "__main__":
    sys.exit(main())
