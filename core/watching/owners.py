"""Whose the files of a folder are, in which the processes of one machine count together.

A number of a process may be another's by now. So each writes down when it began, in ticks since the machine
did (proc(5), field 22 of ``stat``): unlike the time of day that is never put right, nor told differently in
a container.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Keep all others of the folder out: who reads, or begins to count."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(
                file, fcntl.LOCK_UN
            )  # closing is not enough where another thread has forked meanwhile


def sign(folder: Path) -> None:
    """Say that the files of this process's number are this process's, before it opens any.

    An earlier one of this number has left gauges behind, which are nothing to this one.
    """
    pid = os.getpid()
    with turn(folder):
        for left in folder.glob(f"gauge_live*_{pid}.db"):
            left.unlink(missing_ok=True)
        with suppress(OSError):
            signature(folder, pid).write_text(began(pid))


def signature(folder: Path, pid: int) -> Path:
    return folder / f"owner_{pid}"


def lives(pid: int, folder: Path) -> bool:
    """Tell whether who made a number's files is there still, and no other process that got the number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False  # a folder is one user's: another's process has got the number since
    with suppress(OSError):
        return signature(folder, pid).read_text() == began(pid)
    return True  # an earlier release's has not signed


def began(pid: int) -> str:
    """Return when a process began. Raises OSError without /proc."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
