"""``manage.py backup``: what ``scripts/backup.sh`` runs."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from core import locks
from core.recovery.backup import Made, make_backup
from core.recovery.folders import BackupBroken, BackupRunning
from core.recovery.ledger import write_ledger
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

    def handle(self, *args: Any, **options: Any) -> None:
        target, keep = options["target"].resolve(), options["keep"]
        if connection.vendor != "postgresql":
            raise CommandError("Backups are of PostgreSQL. Of SQLite, copy the file while nothing runs.")
        if keep is not None and keep < 1:
            raise CommandError("--keep takes a whole number, 1 or more.")
        if not options["erased_only"] and not locks.exist():
            raise CommandError(
                "A backup needs a session of its own, and DB_POOLED says that there is none: unset it, and "
                "point DB_HOST and DB_PORT at PostgreSQL itself."
            )
        os.umask(0o077)
        try:
            if options["erased_only"]:
                self.stdout.write(f"erased people noted: {write_ledger(target)}")
            else:
                self.report(make_backup(target, keep=keep))
        except BackupRunning as error:
            raise CommandError(f"Another backup writes into {target}.") from error
        except BackupBroken as error:
            raise CommandError(
                f"Nothing was written: {error}. Put that line right, then try again."
            ) from error
        except (ProgramFailed, *STORAGE_ERRORS) as error:
            raise CommandError(f"There is no new backup: {error}") from error

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
        self.stdout.write(f"erased people noted: {made.erased}")
        self.stdout.write(f"deleted: {', '.join(made.rotated) or 'none'}")
        for note in made.notes:
            self.stdout.write(note)
        if made.faults:
            raise CommandError(f"The new backup is there, but: {' '.join(made.faults)}")
