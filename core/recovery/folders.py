"""Where backups lie: one folder each, named by its moment, and whole or not there."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

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
NAMED: Final = re.compile(r"\d{8}T\d{6}Z")


class BackupBroken(Exception):
    """A backup is not what its manifest says."""


class BackupRunning(Exception):
    """Another backup writes into the same folder."""


@contextmanager
def alone_in(target: Path) -> Iterator[None]:
    """Hold a folder of backups for the block, and clear away what a killed run left. Raises BackupRunning."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(target / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupRunning from error
        for left in target.glob(f"{PARTIAL}*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(lock)


def whole_backups(target: Path) -> list[Path]:
    """Return the whole backups in a folder, the oldest first."""
    found = [path for path in target.iterdir() if NAMED.fullmatch(path.name) and (path / MANIFEST).is_file()]
    return sorted(found)


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
