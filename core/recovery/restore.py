"""Putting a backup back, and telling whether what is there then equals what was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader

from core.audit_keeper import hand_over
from core.recovery import measure, programs
from core.recovery.backup import FORMAT
from core.recovery.files import digest_in_storage, digest_of, put_back, stored_files
from core.recovery.folders import DUMP, FILE_LIST, FILES, MANIFEST, BackupBroken, files_of, manifest_of
from core.uploads.store import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from core.recovery.files import Kept

SHOWN: Final = 10
# What a manifest says, and is needed.
SAID: Final = ("database", "files", "migrations", "snapshot_at", "structure", "tables")


class NotEmpty(Exception):
    """There is something already where the backup would go."""


class TooNew(Exception):
    """The backup was made by later code: this one would not know its tables."""


class LoadedBut(Exception):
    """The database is the backup's by now, and what had to follow has failed."""


class NotEqual(LoadedBut):
    """What was restored is not what was kept."""


class Restored(NamedTuple):
    """What was put back, and found equal."""

    tables: int
    rows: int
    files: int
    snapshot_at: str


class Verified(NamedTuple):
    """A backup that was read through. Files whose keys are ``damaged`` are not there as they were kept."""

    path: Path
    manifest: dict[str, Any]
    files: dict[str, Kept]
    damaged: list[str]


def verify_backup(backup: Path) -> Verified:
    """Read a backup through, and compare it with what it says of itself.

    Of files the damaged ones are told, and hold up none of the others. Raises BackupBroken for the rest, and
    TooNew.
    """
    manifest = manifest_of(backup)
    if manifest.get("format") != FORMAT:
        raise TooNew("This backup is of another format.")
    if lost := [name for name in SAID if name not in manifest]:
        raise BackupBroken(f"{backup / MANIFEST} does not tell {', '.join(lost)}.")
    check_migrations(manifest)
    for name, said in ((DUMP, manifest["database"]), (FILE_LIST, manifest["files"])):
        if not is_as_kept(backup / name, said.get("sha256", "")):
            raise BackupBroken(f"{backup / name} is missing, or is not what was kept.")
    files = files_of(backup)
    damaged = [key for key, kept in files.items() if not is_as_kept(backup / FILES / key, kept.digest)]
    return Verified(backup, manifest, files, sorted(damaged))


def check_migrations(manifest: dict[str, Any]) -> None:
    known = {".".join(name) for name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    if unknown := sorted(set(manifest["migrations"]) - known):
        raise TooNew(f"This code is older than the backup: it does not know {', '.join(unknown[:SHOWN])}.")


def is_as_kept(path: Path, digest: str) -> bool:
    """Tell whether a file is there, can be read to its end, and is the one that was kept."""
    try:
        return path.is_file() and digest_of(path) == digest
    except OSError:
        return False


def check_empty() -> None:
    """Raise NotEmpty where the configured database has tables, or the storage has files."""
    with connection.cursor() as cursor:
        tables = measure.tables(cursor)
    if tables:
        name = connection.settings_dict["NAME"]
        raise NotEmpty(f"The database {name} has {len(tables)} tables.")
    if stored := next(iter(stored_files()), None):
        raise NotEmpty(f"The storage has files, such as {stored.key}.")


def restore(backup: Verified) -> Restored:
    """Put a backup that was verified into the configured database and storage, and compare.

    It takes the place of what is there; files that it does not have, or has damaged, stay. Raises
    ProgramFailed where the database is as it was, and LoadedBut where it is the backup's and something else
    went wrong.
    """
    manifest, files = backup.manifest, backup.files
    connection.close()
    programs.load(backup.path / DUMP)
    try:
        hand_over()
        for key in files.keys() - set(backup.damaged):
            if digest_in_storage(key) != files[key].digest:
                put_back(key, backup.path / FILES / key)
        compare(manifest, files)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("ANALYZE")
    except (DatabaseError, InterfaceError, *STORAGE_ERRORS) as error:
        raise LoadedBut(str(error)) from error
    rows = sum(count for count, _ in manifest["tables"].values())
    return Restored(len(manifest["tables"]), rows, len(files), manifest["snapshot_at"])


def compare(manifest: dict[str, Any], files: dict[str, Kept]) -> None:
    """Raise NotEqual, which names what differs, where database or storage are not as they were kept."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        found = [f"table {name}" for name in measure.differences(manifest["tables"], measure.content(cursor))]
        structure = measure.structure(cursor)
        kinds = manifest["structure"].keys() - {"extensions"}
        found += measure.differences(picked(manifest["structure"], kinds), picked(structure, kinds))
        found += [f"sequence {name}" for name in measure.sequences_behind(cursor)]
    lost = extensions(manifest["structure"]) - extensions(structure)
    found += [f"extension {name}" for name in sorted(lost)]
    found += [f"file {key}" for key, kept in files.items() if digest_in_storage(key) != kept.digest]
    if found:
        raise NotEqual(f"{len(found)} things are not as they were kept: {', '.join(found[:SHOWN])}")


def extensions(structure: dict[str, Any]) -> set[str]:
    return {name for name, _ in structure["extensions"]}


def picked(structure: dict[str, Any], kinds: Collection[str]) -> dict[str, list[Any]]:
    """Return those kinds, without the order that the database's own language gives to names.

    An older backup does not know them all. Extensions are none of them: a service adds some of its own.
    """
    return {kind: sorted(names) for kind, names in structure.items() if kind in kinds}
