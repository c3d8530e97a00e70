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
    """Hold a folder of backups for the block, and clear away what a killed run left. Raises BackupRunning.

    What cannot be deleted is in nobody's way.
    """
    with locked(target, ".lock"):
        clear_away(target)
        yield


def clear_away(target: Path) -> list[str]:
    """Delete what is no whole backup, or no longer one. Returns a word for each that does not go."""
    faults = []
    for left in sorted(target.glob(f"{PARTIAL}*")):
        try:
            shutil.rmtree(left)
        except OSError as error:
            faults.append(f"{left.name} could not be deleted: {error}.")
    return faults


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
    return sorted(path for path in target.iterdir() if second_of(path.name) and (path / MANIFEST).is_file())


def next_name(target: Path) -> str:
    """Return a name for a new backup: its second, or one that comes after all that are there.

    Names are the order in which backups go. So the new one is the last one, where two are made within a
    second, and where the clock has been set back.
    """
    now = timezone.now().replace(microsecond=0)
    last = max(filter(None, (second_of(path.name) for path in whole_backups(target))), default=None)
    return format(max(now, last + SECOND) if last else now, NAME)


def second_of(name: str) -> datetime | None:
    """Return the moment that names a backup; None where it is no such name."""
    try:
        return datetime.strptime(name, NAME).replace(tzinfo=UTC) if NAMED.fullmatch(name) else None
    except ValueError:
        return None


def rotate(target: Path, *, keep: int, made: Path) -> list[str]:
    """Delete the oldest backups but for ``keep`` whole ones, of which the one just made is always one.

    Returns a word for each that does not go.
    """
    faults = []
    others = [path for path in whole_backups(target) if path != made]
    for path in others[: max(len(others) - keep + 1, 0)]:
        # Out of sight first: one that is deleted in part must not look whole.
        try:
            path.rename(path.with_name(f"{PARTIAL}{path.name}-deleted"))
        except OSError as error:
            faults.append(f"{path.name} could not be deleted: {error}.")
    return [*faults, *clear_away(target)]


def manifest_of(backup: Path) -> dict[str, Any]:
    """Return what a backup says of itself. Raises BackupBroken."""
    try:
        said: dict[str, Any] = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupBroken(f"{backup} has no manifest that can be read: it is no whole backup.") from error
    if not isinstance(said, dict):
        raise BackupBroken(f"{backup} has a manifest that says nothing: it is no whole backup.")
    return said


def files_of(backup: Path) -> dict[str, Kept]:
    """Return what the list of a backup names. Raises BackupBroken."""
    try:
        with (backup / FILE_LIST).open(encoding="utf-8") as lines:
            return read_list(lines)
    except (OSError, ValueError) as error:
        raise BackupBroken(f"{backup / FILE_LIST} cannot be read: {error}") from error


def sync(path: Path) -> None:
    """Have what was written outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
