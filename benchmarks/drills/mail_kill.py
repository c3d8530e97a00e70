"""Whether everybody gets one mail when workers are killed and the mail server misbehaves (SAFETY R6).

By hand, on a private PostgreSQL that ends with it (``make drill PART=mail_kill``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/mail_kill.py

An announcement goes to 1,000 people through two workers. The SMTP server refuses every 20th address for
good, hangs up on every 33rd once, says "later" to every 50th once, and stalls longer than anybody waits on
every 250th once. Twice, in the middle, both workers are killed and started again. Fails unless every
address that takes mail got exactly one (or, for each kill of a worker, one more with the same Message-ID),
the others are written down as failed with the reason, and nothing is left in the queue.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import faults

if TYPE_CHECKING:
    from core.tests.smtp import Reply, SmtpServer

PEOPLE: Final = 1_000
KILLS_AT: Final = (250, 600)  # mails that the server has taken
STALL_SECONDS: Final = 25  # more than EMAIL_TIMEOUT
PATIENCE_SECONDS: Final = 600


def number_of(address: str) -> int:
    return int(address.removeprefix("person").partition("@")[0])


def script(server: SmtpServer) -> None:
    """Have the server refuse, hang up, put off and stall."""
    from core.tests.smtp import TAKE, Reply

    def reply(address: str) -> Reply:
        number, is_first = number_of(address), server.tried[address] <= 1
        if number % 20 == 0:
            return Reply(rcpt="550 5.1.1 Unknown user")
        if is_first and number % 33 == 0:
            return Reply(hang_up=True)
        if is_first and number % 50 == 1:
            return Reply(rcpt="451 4.3.0 Try later")
        if is_first and number % 250 == 2:  # noqa: PLR2004
            return Reply(stall_seconds=STALL_SECONDS)
        return TAKE

    server.reply = reply


def announce() -> None:
    """Store the people, and tell them all as an admin does."""
    from announcements.services.announcements import create_announcement
    from users.models import User

    people = [
        User.objects.create_user(email=f"person{n}@example.org", status="active", role="admin")
        for n in range(PEOPLE)
    ]
    create_announcement(by=people[0], send_email=True, title="Drill", summary="All", content="Once each.")


def kill_and_restart(workers: list[faults.Worker]) -> None:
    for worker in workers:
        worker.kill()
    time.sleep(1)
    for worker in workers:
        worker.start()


def wait_for_end(server: SmtpServer, workers: list[faults.Worker]) -> float:
    """Kill when it is time, and wait until nothing is queued; return the seconds it took."""
    from core.models import Delivery

    kills, started = list(KILLS_AT), time.monotonic()
    while time.monotonic() - started < PATIENCE_SECONDS:
        if kills and len(server.taken) >= kills[0]:
            print(f"{time.monotonic() - started:6.1f} s  killed both workers after {len(server.taken)} mails")
            kills.pop(0)
            kill_and_restart(workers)
        states = Delivery.objects.by_state()
        if sum(states.values()) == PEOPLE and not states.get("queued"):
            break
        time.sleep(0.1)
    return time.monotonic() - started


def is_right(server: SmtpServer) -> bool:
    """Print what became of the mails; return whether it is as it must be."""
    from core.models import Delivery

    per_address = Counter(taken.to for taken in server.taken)
    expected = {f"person{n}@example.org" for n in range(PEOPLE) if n % 20}
    doubled = [address for address, count in per_address.items() if count > 1]
    same_id = all(len({taken.id for taken in server.to(address)}) == 1 for address in doubled)
    lost = expected - set(per_address)
    failed = Counter(Delivery.objects.filter(state="failed").values_list("reason", flat=True))
    print(f"people {PEOPLE}, deliverable {len(expected)}, mails taken {len(server.taken)}")
    print(
        f"lost {len(lost)}, twice under the same Message-ID {len(doubled)}, "
        f"strangers {len(set(per_address) - expected)}"
    )
    states = Delivery.objects.by_state()
    print(f"states {states}, reasons {dict(failed)}")
    print(f"tries {sum(server.tried.values())}, connections {server.connections}")
    most_doubled = 2 * len(KILLS_AT)
    ended = states == {"sent": len(expected), "failed": PEOPLE - len(expected)}
    right = ended and not lost and set(per_address) == expected and len(doubled) <= most_doubled and same_id
    return right and failed == {"recipient refused 550 5.1.1": PEOPLE - len(expected)}


def main() -> int:
    redis, server = faults.prepare_with_mail()
    script(server)
    server.start()
    workers, clock = [faults.worker(), faults.worker()], faults.clock()
    try:
        announce()
        for process in (*workers, clock):
            process.start()
        seconds = wait_for_end(server, workers)
        right = is_right(server)
    finally:
        faults.stop(*workers, clock, redis, server)
    print(f"took {seconds:.0f} s")
    return faults.verdict(is_right=right)


if __name__ == "__main__":
    sys.exit(main())
