"""Where backups lie: one folder each, named by its moment, and whole or not there."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from core.recovery.files import read_list

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.recovery.files import Kept

DUMP: Final = "database.dump"
FILES: Final = "files"
FILE_LIST: Final = "files.tsv"
MANIFEST: Final = "manifest.json"
LEDGER: Final = "erased-people.txt"
PARTIAL: Final = ".partial-"
# The list of erased people is written within moments: whoever comes meanwhile waits.
LIST_WAIT_SECONDS: Final = 10.0
LIST_PAUSE_SECONDS: Final = 0.05
NAME: Final = "%Y%m%dT%H%M%SZ"
NAMED: Final = re.compile(r"\d{8}T\d{6}Z")
SECOND: Final = timedelta(seconds=1)


class BackupBroken(Exception):
    """A backup is not what its manifest says."""


class BackupRunning(Exception):
    """Another backup writes into the same folder."""


@contextmanager
def alone_in(target: Path) -> Iterator[None]:
    """Hold a folder of backups for the block, and clear away what a killed run left. Raises BackupRunning."""
    with locked(target, ".lock"):
        for left in target.glob(f"{PARTIAL}*"):
            shutil.rmtree(left)
        yield


@contextmanager
def alone_with_list(target: Path) -> Iterator[None]:
    """Hold the list of erased people of a folder for the block; a backup there may run meanwhile.

    Waits ten seconds for whoever holds it, then raises BackupRunning.
    """
    with locked(target, ".lock-erased", wait=LIST_WAIT_SECONDS):
        yield


@contextmanager
def locked(target: Path, name: str, *, wait: float = 0) -> Iterator[None]:
    """Hold a file of a folder, which is made, for the block. Raises BackupRunning after ``wait`` seconds."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(target / name, os.O_CREAT | os.O_RDWR, 0o600)
    end = time.monotonic() + wait
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= end:
                    raise BackupRunning from error
            time.sleep(LIST_PAUSE_SECONDS)
        yield
    finally:
        os.close(lock)


def whole_backups(target: Path) -> list[Path]:
    """Return the whole backups in a folder, the oldest first."""
    found = [path for path in target.iterdir() if NAMED.fullmatch(path.name) and (path / MANIFEST).is_file()]
    return sorted(found)


def next_name(target: Path) -> str:
    """Return a name for a new backup: its second, or one that comes after all that are there.

    Names are the order in which backups go. So the new one is the last one, where two are made within a
    second, and where the clock has been set back.
    """
    now = timezone.now().replace(microsecond=0)
    last = max((second_of(path.name) for path in whole_backups(target)), default=None)
    return format(max(now, last + SECOND) if last else now, NAME)


def second_of(name: str) -> datetime:
    return datetime.strptime(name, NAME).replace(tzinfo=UTC)


def rotate(target: Path, *, keep: int) -> list[str]:
    """Delete the oldest backups but for the last ``keep`` whole ones, at least one; returns their names."""
    gone = whole_backups(target)[: -max(keep, 1)]
    for path in gone:
        # Out of sight first: one that is deleted in part must not look whole.
        doomed = path.with_name(f"{PARTIAL}{path.name}-deleted")
        path.rename(doomed)
        shutil.rmtree(doomed)
    return [path.name for path in gone]


def manifest_of(backup: Path) -> dict[str, Any]:
    """Return what a backup says of itself. Raises BackupBroken."""
    try:
        said: dict[str, Any] = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupBroken(f"{backup} has no manifest that can be read: it is no whole backup.") from error
    return said


def files_of(backup: Path) -> dict[str, Kept]:
    with (backup / FILE_LIST).open(encoding="utf-8") as lines:
        return read_list(lines)


def sync(path: Path) -> None:
    """Have what was written outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
