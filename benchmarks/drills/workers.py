"""Workers on real tasks: one over its time limit is stopped, one whose worker is killed is taken up again.

By hand: scripts/services.sh run -- .venv/bin/python benchmarks/drills/workers.py (about five minutes).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from faults import HOST, PROJECT, free_port, prepare, redis

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS: Final = 300


def dribble(listener: socket.socket) -> None:
    """Greet each client for ever, a byte every two seconds: no time-out of a socket notices."""
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            Thread(target=greet, args=[client], daemon=True).start()


def greet(client: socket.socket) -> None:
    with suppress(OSError):
        for letter in b"220-" + b"a" * 1_000:
            client.send(bytes([letter]))
            time.sleep(2)


class Sink:
    """Takes every mail, and says when."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def handle_DATA(self, *args: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(time.time())
        return "250 OK"


def start(*words: str, smtp: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(PROJECT / "manage.py"), *words]
    environment = {**os.environ, "EMAIL_HOST": HOST, "EMAIL_PORT": str(smtp)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)  # noqa: S603 - the drill's own


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    over = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < over:
        if result := found():
            return result
        time.sleep(0.1)
    raise SystemExit(f"Not within {PATIENCE_SECONDS} s: {what}")


def main() -> None:
    store, sink, slow = redis(), Sink(), socket.create_server((HOST, 0))
    store.start()
    prepare(store.port)
    from aiosmtpd.controller import Controller

    Thread(target=dribble, args=[slow], daemon=True).start()
    controller = Controller(sink, hostname=HOST, port=free_port())
    controller.start()
    slow_port, good_port = slow.getsockname()[1], controller.port
    processes = [
        start("run_due_jobs", "--forever", smtp=good_port),
        start("db_worker", "--queue-name", "default", smtp=good_port),
        start("db_worker", "--queue-name", "sign-in", smtp=slow_port),
    ]
    try:
        drill(processes, sink, good_port)
    finally:
        for process in processes:
            process.kill()
        controller.stop()
        store.stop()


def drill(processes: list[subprocess.Popen[bytes]], sink: Sink, good_port: int) -> None:
    from django_tasks_db.models import DBTaskResult

    from authentication.services import request_sign_in
    from core.tasks import patience_of

    mails = DBTaskResult.objects.filter(queue_name="sign-in")
    request_sign_in("ada@example.org")
    stopped = wait_for("the limit", lambda: mails.exclude(finished_at=None).first())
    print(f"stopped after {(stopped.finished_at - stopped.started_at).total_seconds():.1f} s (limit 60)")

    lost = wait_for("the second try", lambda: mails.running().first())
    processes[-1].kill()
    print(f"killed its worker; patience {patience_of('sign-in').total_seconds():.0f} s")
    processes.append(start("db_worker", "--queue-name", "sign-in", smtp=good_port))
    wait_for("its recovery", lambda: mails.filter(pk=lost.pk, status="SUCCESSFUL").first())
    waited = sink.taken[0] - lost.started_at.timestamp()
    print(f"mailed {waited:.1f} s after it was begun; mails out: {len(sink.taken)}; rows: {mails.count()}")


if __name__ == "__main__":
    main()
