"""``manage.py backup``: what ``scripts/backup.sh`` runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, OperationalError, connection

from core import locks
from core.recovery.backup import Made, make_backup
from core.recovery.folders import LEDGER, BackupBroken, BackupRunning
from core.recovery.ledger import write_ledger
from core.recovery.losses import accept_losses
from core.recovery.programs import ProgramFailed
from core.uploads.store import STORAGE_ERRORS


class Command(BaseCommand):
    help = "Keeps the database and all files in a new folder below TARGET."
    requires_system_checks: list[str] = []  # of how to serve, which this does not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="The folder of the backups.")
        parser.add_argument("--keep", type=int, help="Deletes older backups, but for so many.")
        parser.add_argument(
            "--erased-only",
            action="store_true",
            help="Only notes whose accounts were erased: often, and cheap.",
        )

        parser.add_argument(
            "--accept-losses",
            action="store_true",
            help="Only notes that the files which the last backup lacks are lost for good.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["target"].resolve()
        self.refuse(keep=options["keep"], is_whole=not (options["erased_only"] or options["accept_losses"]))
        os.umask(0o077)
        if options["accept_losses"]:
            self.accept(target)
        elif options["erased_only"]:
            with told(target, f"{LEDGER} is as it was"):
                self.stdout.write(f"erased people noted: {write_ledger(target)}")
        else:
            with told(target, "There is no new backup"):
                made = make_backup(target, keep=options["keep"])
            self.report(made)

    def refuse(self, *, keep: int | None, is_whole: bool) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Backups are of PostgreSQL. Of SQLite, copy the file while nothing runs.")
        if keep is not None and keep < 1:
            raise CommandError("--keep takes a whole number, 1 or more.")
        if is_whole and not locks.exist():
            raise CommandError(
                "A backup needs a session of its own, and DB_POOLED says that there is none: unset it, and "
                "point DB_HOST and DB_PORT at PostgreSQL itself."
            )

    def accept(self, target: Path) -> None:
        if not target.is_dir():
            raise CommandError(f"{target} is no folder.")
        try:
            accepted = accept_losses(target)
        except BackupRunning as error:
            raise CommandError(f"A backup writes into {target}: try again after it.") from error
        except BackupBroken as error:
            raise CommandError(f"Nothing was accepted: {error}") from error
        for key in accepted.keys:
            self.stdout.write(f"accepted: {key}")
        self.stdout.write(f"accepted as lost in {accepted.backup}: {len(accepted.keys)}.{accepted.held}")

    def report(self, made: Made) -> None:
        said = made.manifest
        rows = sum(count for count, _ in said["tables"].values())
        files, missing = said["files"], len(said["files"]["missing"])
        self.stdout.write(f"backup: {made.path}")
        self.stdout.write(
            f"database: {len(said['tables'])} tables, {rows} rows, {said['database']['size']} bytes"
        )
        self.stdout.write(f"files: {files['count']}, {files['bytes']} bytes")
        self.stdout.write(f"copied: {made.copied}, shared with the backup before: {made.linked}")
        self.stdout.write(f"files that rows name and nobody has: {missing}")
        self.stdout.write(f"files of another size than their rows say: {len(files['damaged'])}")
        self.stdout.write(f"files that cannot be read: {len(files['unreadable'])}")
        self.stdout.write(f"erased people noted: {made.erased}")
        self.stdout.write(f"deleted: {', '.join(made.rotated) or 'none'}")
        for note in made.notes:
            self.stdout.write(note)
        if made.faults:
            raise CommandError(f"The new backup is there, but: {' '.join(made.faults)}")


@contextmanager
def told(target: Path, what: str) -> Iterator[None]:
    """Say in a line why the block did not end."""
    try:
        yield
    except BackupRunning as error:
        raise CommandError(f"Another backup writes into {target}.") from error
    except BackupBroken as error:
        raise CommandError(f"Nothing was written: {error}. Put that line right, then try again.") from error
    except (ProgramFailed, *STORAGE_ERRORS) as error:
        raise CommandError(f"{what}: {error}") from error
    except Error as error:
        raise CommandError(f"{what}: the database {reason_of(error)}") from error


def reason_of(error: Error) -> str:
    """Say why the database failed: its words where they are of the line to it, since others may hold data."""
    kind = type(error.__cause__ or error).__name__
    if not isinstance(error, OperationalError):
        return f"refuses ({kind})."
    words, password = " ".join(str(error).split()), connection.settings_dict["PASSWORD"]
    return f"fails ({kind}): {words.replace(password, '***') if password else words}"
