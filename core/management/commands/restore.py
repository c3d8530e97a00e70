"""``manage.py restore``: what ``scripts/restore.sh`` runs first."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from core.recovery.folders import BackupBroken
from core.recovery.programs import ProgramFailed
from core.recovery.restore import NotEmpty, NotEqual, TooNew, restore, verify_backup
from core.uploads.store import STORAGE_ERRORS


class Command(BaseCommand):
    help = "Puts a backup into the configured database and storage, and compares what is there then."
    requires_system_checks: list[str] = []  # of how to serve, which this does not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="A folder that backup.sh has written.")
        parser.add_argument(
            "--yes-replace",
            action="store_true",
            help="In the place of the data that is there, which is lost.",
        )
        parser.add_argument("--verify", action="store_true", help="Only reads the backup through.")

    def handle(self, *args: Any, **options: Any) -> None:
        backup = options["backup"].resolve()
        if connection.vendor != "postgresql":
            raise CommandError("Backups are of PostgreSQL: set DB_NAME and the others.")
        try:
            if options["verify"]:
                manifest, files = verify_backup(backup)
                self.stdout.write(f"whole: {len(manifest['tables'])} tables, {len(files)} files")
                return
            done = restore(backup, replace=options["yes_replace"])
        except (BackupBroken, TooNew) as error:
            raise CommandError(f"Nothing was touched: {error}") from error
        except NotEmpty as error:
            raise CommandError(
                f"Nothing was touched: {error} With --yes-replace the backup takes its place."
            ) from error
        except (NotEqual, ProgramFailed, *STORAGE_ERRORS) as error:
            raise CommandError(f"Not restored: {error}") from error
        self.stdout.write(
            f"equal to what was kept: {done.tables} tables, {done.rows} rows, {done.files} files"
        )
        self.stdout.write(f"as of: {done.snapshot_at}")
