"""Gives gunicorn new workers, and takes the old ones away once those serve: reload.py PID (of its master).

SIGHUP ends the old workers while the new ones still load the code: for as long, nobody answers. Here, too, no
request is cut off. New code is loaded; for a new environment or gunicorn.conf.py, restart the master.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What gunicorn.conf.py calls a worker that has loaded the code; and its master, with the number of workers.
# One that still loads has the master's name.
SERVING: Final = "hub-serving"
WANTS: Final = "hub-wants-"
STOPPING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE_SECONDS: Final = 120


def name_of(process: int) -> str:
    with suppress(OSError):  # it has gone
        return Path(f"/proc/{process}/comm").read_text().strip()
    return ""


def workers_of(master: int) -> set[int]:
    """Return its workers. Raises SystemExit where there is none: then it is ending, or has gone."""
    with suppress(OSError):
        if workers := Path(f"/proc/{master}/task/{master}/children").read_text().split():
            return set(map(int, workers))
    raise SystemExit(f"reload.py: {master} is no gunicorn that serves")


def number_wanted(master: int) -> int:
    """Return how many workers it was started with, whatever an earlier reload has left."""
    _, is_ours, number = name_of(master).partition(WANTS)
    if not is_ours:
        raise SystemExit(f"reload.py: {master} is no master of a gunicorn by deploy/gunicorn.conf.py")
    return int(number)


def wait(what: str, until: Callable[[], bool]) -> None:
    """Return when it is so. Raises SystemExit after two minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit(f"reload.py: {what} within {PATIENCE_SECONDS} s")
        time.sleep(0.1)


def refuse_broken_code(master: int) -> None:
    """Load the application once, apart: a worker that cannot start takes the whole gunicorn with it.

    In the environment that workers are given, which is the master's and not what a file says by now.
    """
    pairs = Path(f"/proc/{master}/environ").read_bytes().split(b"\0")
    environment = dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)
    check = [sys.executable, "-c", "import btf_backend.wsgi"]
    if subprocess.run(check, env=environment, check=False).returncode:  # noqa: S603 - the operator's own
        raise SystemExit("reload.py: the new code does not start; the old one goes on")


@contextmanager
def alone(master: int) -> Iterator[None]:
    """Let one at a time reload a gunicorn. The name goes with whoever holds it."""
    with socket.socket(socket.AF_UNIX) as name:
        try:
            name.bind(f"\0btf-reload-{master}")
        except OSError as error:
            raise SystemExit("reload.py: another one is at work") from error
        yield


def add_workers(master: int, old: set[int]) -> None:
    """Have as many come as are wanted, and wait until they serve.

    One signal at a time: two of a kind that wait are one (signal(7)).
    """

    def new() -> set[int]:
        return workers_of(master) - old

    wanted = number_wanted(master)
    for number in range(1, wanted + 1):
        os.kill(master, signal.SIGTTIN)
        wait("no new worker", lambda number=number: len(new()) >= number)  # type: ignore[misc]
    wait("no new worker serves", lambda: sum(name_of(worker) == SERVING for worker in new()) >= wanted)


def end(master: int, workers: set[int]) -> None:
    """Have them go: those that served when they have answered what they have, those that still load at once.

    Where there are more than wanted, gunicorn.conf.py has none take the place of one that ends.
    """
    for worker in workers & workers_of(master):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL if name_of(worker).startswith(WANTS) else signal.SIGTERM)


def roll(master: int) -> None:
    """Put new workers in the place of all that there are. Whatever stops it before, the old ones go on."""
    with alone(master):
        old = workers_of(master)
        try:
            add_workers(master, old)
        except BaseException:
            for number in STOPPING:
                signal.signal(number, signal.SIG_IGN)
            end(master, workers_of(master) - old)
            raise
        end(master, old)
        wait("an old worker did not end", lambda: not workers_of(master) & old)


def stop(*args: object) -> None:
    raise SystemExit("reload.py: stopped")


if __name__ == "__main__":
    for each in STOPPING:
        signal.signal(each, stop)
    number_wanted(of := int(sys.argv[1]))
    refuse_broken_code(of)
    roll(of)
