"""Making a backup: files, then the database as of one moment, then the files that came meanwhile.

A file is stored before its row is written, and deleted after its row has gone. So what the database names at
its moment was there before: the first round has it, even where it is deleted while the dump is made, and the
second round has what was stored between. What was stored and deleted again within the backup may miss: its
row has gone. What else misses, or is cut short, is told, and keeps the older backups from being deleted
until somebody has accepted that.
"""

from __future__ import annotations

import json
import platform
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import django
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.models import Upload
from core.recovery import measure, programs
from core.recovery.copies import Files
from core.recovery.files import digest_of, write_list
from core.recovery.folders import (
    DUMP,
    FILE_LIST,
    FILES,
    MANIFEST,
    PARTIAL,
    BackupBroken,
    alone_in,
    clear_away,
    next_name,
    rotate,
    sync,
    whole_backups,
)
from core.recovery.ledger import write_ledger
from core.recovery.losses import compared, former_of, known_losses, still_named, told_of, write_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.recovery.losses import Former

FORMAT: Final = 1
# A snapshot lives as long as its transaction, which does nothing while pg_dump works.
PATIENT: Final = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class Made(NamedTuple):
    """What a backup came to. It is there, whatever ``faults`` say: these want somebody to look."""

    path: Path
    manifest: dict[str, Any]
    copied: int
    linked: int
    erased: int
    rotated: list[str]
    notes: list[str]
    faults: list[str]


def make_backup(target: Path, *, keep: int | None = None) -> Made:
    """Write a backup into a new folder, which gets its name when it is whole.

    Then deletes older ones, but for ``keep``, unless rows name files that are lost and not accepted. Raises
    BackupRunning, BackupBroken (the list of erased people), ProgramFailed, STORAGE_ERRORS and Error of the
    database: then there is no new backup, and none is deleted.
    """
    with alone_in(target):
        before = whole_backups(target)
        former, notes = last_of(before)
        name = next_name(target)
        partial = target / f"{PARTIAL}{name}"
        (partial / FILES).mkdir(mode=0o700, parents=True)
        try:
            files = Files(partial, former)
            manifest = write(partial, files)
            erased = write_ledger(target)
            lost = manifest["files"]["lost"]
            known, faults = known_losses(target)
            faults += told_of(lost, known, before)
            path = partial.rename(target / name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync(target)
        faults += write_known(target, [key for key in known if key in lost], instead_of=known)
        if keep and not faults:
            faults = rotate(target, keep=keep, made=path)
        else:
            faults += clear_away(target)
        rotated = [old.name for old in before if not old.exists()]
    notes += files.notes()
    return Made(path, manifest, files.copied, files.linked, erased, rotated, notes, faults)


def last_of(backups: list[Path]) -> tuple[Former | None, list[str]]:
    """Return the last one, if it can be read, and a word where it cannot: then all files are copied again."""
    try:
        return (former_of(backups[-1]) if backups else None), []
    except BackupBroken as error:
        return None, [f"nothing is shared with the backup before: {error}"]


def write(folder: Path, files: Files) -> dict[str, Any]:
    check_storage()
    files.take_all()
    with snapshot() as (name, manifest):
        programs.dump(folder / DUMP, snapshot=name)
        named = dict(Upload.objects.values_list("key", "size"))
    files.take_all()
    files.outlast()
    write_list(folder / FILE_LIST, files.have)
    manifest["database"] = described(folder / DUMP)
    told = compared(named, files.have)
    manifest["files"] = {
        **described(folder / FILE_LIST),
        "count": len(files.have),
        "bytes": sum(kept.size for kept in files.have.values()),
        **told,
        "lost": still_named(named, told),
        "unreadable": dict(sorted(files.unreadable.items())),
        "left_out": sorted(files.left_out),
    }
    manifest["finished_at"] = timezone.now().isoformat()
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    for path in (DUMP, FILE_LIST, MANIFEST):
        (folder / path).chmod(0o600)
        sync(folder / path)
    sync(folder)
    return manifest


def check_storage() -> None:
    """Raise FileNotFoundError where MEDIA_ROOT is away. A fresh installation has none, and no rows."""
    if not hasattr(default_storage, "bucket_name"):
        root = Path(default_storage.path(""))
        if not root.is_dir() and Upload.objects.exists():
            raise FileNotFoundError(f"MEDIA_ROOT {root} is no folder, and rows name files in it.")


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
