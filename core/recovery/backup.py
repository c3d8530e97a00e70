"""Making a backup: files, then the database as of one moment, then the files that came meanwhile.

A file is stored before its row is written, and deleted after its row has gone. So what the database names at
its moment was there before: the first round has it, even where it is deleted while the dump is made, and the
second round has what was stored between. Missing is only what was stored and deleted again within the backup.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import django
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.models import Upload
from core.recovery import measure, programs
from core.recovery.files import Kept, digest_of, fetch, stored_files, write_list
from core.recovery.folders import (
    DUMP,
    FILE_LIST,
    FILES,
    MANIFEST,
    PARTIAL,
    alone_in,
    files_of,
    next_name,
    rotate,
    sync,
    whole_backups,
)
from core.recovery.ledger import write_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.recovery.files import Stored

FORMAT: Final = 1
# A snapshot lives as long as its transaction, which does nothing while pg_dump works.
PATIENT: Final = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class Made(NamedTuple):
    """What a backup came to."""

    path: Path
    manifest: dict[str, Any]
    copied: int
    linked: int
    erased: int
    rotated: list[str]


class Files:
    """The files of a backup that is being made; what the former one has is linked, not copied."""

    def __init__(self, folder: Path, former: Path | None) -> None:
        self.folder = folder
        self.former = former
        self.known = files_of(former) if former else {}
        self.have: dict[str, Kept] = {}
        self.copied = self.linked = 0

    def take_all(self) -> None:
        """Take every file that the storage has and this backup has not. Raises STORAGE_ERRORS."""
        for stored in stored_files():
            have = self.have.get(stored.key)
            if have is None or not have.is_copy_of(stored):
                self.take(stored)

    def take(self, stored: Stored) -> None:
        target = self.folder / FILES / stored.key
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if kept := self.link(stored, target):
            self.linked += 1
        elif kept := fetch(stored, target):
            self.copied += 1
        if kept:
            self.have[stored.key] = kept

    def link(self, stored: Stored, target: Path) -> Kept | None:
        """Share a file with the former backup; None where it has none such, or the disk cannot."""
        kept = self.known.get(stored.key)
        if self.former and kept and kept.is_copy_of(stored):
            with suppress(OSError):
                os.link(self.former / FILES / stored.key, target)
                return kept
        return None


def make_backup(target: Path, *, keep: int | None = None) -> Made:
    """Write a backup into a new folder, which gets its name when it is whole.

    Then deletes older ones, but for ``keep``. Raises BackupRunning, BackupBroken (the list of erased
    people), ProgramFailed and STORAGE_ERRORS: then there is no new backup, and none is deleted.
    """
    with alone_in(target):
        former = next(reversed(whole_backups(target)), None)
        name = next_name(target)
        partial = target / f"{PARTIAL}{name}"
        (partial / FILES).mkdir(mode=0o700, parents=True)
        try:
            files = Files(partial, former)
            manifest = write(partial, files)
            erased = write_ledger(target)
            path = partial.rename(target / name)
        except BaseException:
            shutil.rmtree(partial)
            raise
        sync(target)
        rotated = rotate(target, keep=keep) if keep else []
    return Made(path, manifest, files.copied, files.linked, erased, rotated)


def write(folder: Path, files: Files) -> dict[str, Any]:
    files.take_all()
    with snapshot() as (name, manifest):
        programs.dump(folder / DUMP, snapshot=name)
        named = dict(Upload.objects.values_list("key", "size"))
    files.take_all()
    write_list(folder / FILE_LIST, files.have)
    manifest["database"] = described(folder / DUMP)
    manifest["files"] = {
        **described(folder / FILE_LIST),
        "count": len(files.have),
        "bytes": sum(kept.size for kept in files.have.values()),
        "missing": sorted(named.keys() - files.have.keys()),
    }
    manifest["finished_at"] = timezone.now().isoformat()
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    for path in (DUMP, FILE_LIST, MANIFEST):
        (folder / path).chmod(0o600)
        sync(folder / path)
    sync(folder)
    return manifest


@contextmanager
def snapshot() -> Iterator[tuple[str, dict[str, Any]]]:
    """Hold one moment of the database open; yields its name, and what the database holds at it."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(PATIENT)
        cursor.execute("SELECT pg_export_snapshot(), now(), current_setting('server_version')")
        name, moment, server = cursor.fetchone()
        applied = MigrationRecorder(connection).applied_migrations()
        yield (
            name,
            {
                "format": FORMAT,
                "snapshot_at": moment.isoformat(),
                "versions": {
                    "postgresql": server,
                    "django": django.get_version(),
                    "python": platform.python_version(),
                },
                "migrations": sorted(f"{app}.{migration}" for app, migration in applied),
                "tables": measure.content(cursor),
                "structure": measure.structure(cursor),
            },
        )


def described(path: Path) -> dict[str, Any]:
    return {"sha256": digest_of(path), "size": path.stat().st_size}
