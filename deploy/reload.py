"""Gives gunicorn new workers, and takes the old ones away once those serve: reload.py PID (of its master).

SIGHUP ends the old workers while the new ones still load the code: for as long, nobody answers. Here, too, no
request is cut off. New code is loaded; for a new environment or gunicorn.conf.py, restart the master.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SERVING: Final = "hub-serving"  # what gunicorn.conf.py calls a worker that has loaded the code
PATIENCE_SECONDS: Final = 120
HEARD_SECONDS: Final = 0.5  # in which a master has taken a signal


def children_of(master: int) -> set[int]:
    return {int(word) for word in Path(f"/proc/{master}/task/{master}/children").read_text().split()}


def is_serving(worker: int) -> bool:
    with suppress(OSError):  # it has gone meanwhile
        return Path(f"/proc/{worker}/comm").read_text().strip() == SERVING
    return False


def wait(what: str, until: Callable[[], bool]) -> None:
    """Return when it is so. Raises SystemExit after two minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit(f"reload.py: {what} within {PATIENCE_SECONDS} s")
        time.sleep(0.1)


def refuse_broken_code() -> None:
    """Load the application once, apart: a worker that cannot start takes the whole gunicorn with it."""
    if subprocess.run([sys.executable, "-c", "import btf_backend.wsgi"], check=False).returncode:
        raise SystemExit("reload.py: the new code does not start; the old one goes on")


def add_worker(master: int, old: set[int]) -> None:
    there = children_of(master) - old
    os.kill(master, signal.SIGTTIN)
    wait("no new worker", lambda: len(children_of(master) - old) > len(there))


def drop_worker(master: int, old: set[int]) -> None:
    """Have the oldest go, once it has answered what it has."""
    there = children_of(master) & old
    os.kill(master, signal.SIGTTOU)
    time.sleep(HEARD_SECONDS)
    if there:  # else the last of them has ended by itself
        wait("an old worker did not end", lambda: children_of(master) & old < there)


def roll(master: int) -> None:
    """One signal at a time: two of a kind that wait are one (signal(7)).

    Whatever stops this on its way leaves as many workers as there were, some of them the old ones.
    """
    old, extra = children_of(master), 0
    try:
        for _ in old:
            extra += 1
            add_worker(master, old)
        wait("no new worker serves", lambda: all(map(is_serving, children_of(master) - old)))
        for _ in old:
            extra -= 1
            drop_worker(master, old)
    finally:
        with suppress(ProcessLookupError):
            for _ in range(extra):
                os.kill(master, signal.SIGTTOU)
                time.sleep(HEARD_SECONDS)


def stop(*args: object) -> None:
    raise SystemExit("reload.py: stopped")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    refuse_broken_code()
    roll(int(sys.argv[1]))
