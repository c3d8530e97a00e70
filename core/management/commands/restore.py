"""``manage.py restore``: what ``scripts/restore.sh`` runs first."""

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from core import locks
from core.recovery.files import Kept
from core.recovery.folders import LEDGER, BackupBroken, BackupRunning
from core.recovery.ledger import ListTooOld, age_of, note_erased, read_beside
from core.recovery.programs import ProgramFailed
from core.recovery.restore import SHOWN, LoadedBut, NotEmpty, TooNew, check_empty, restore, verify_backup
from core.uploads.store import STORAGE_ERRORS

LOADED_BUT: Final = 3  # restore.sh then goes on to erase again


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
        parser.add_argument("--erased", type=Path, help="A list of erased people, however old it is.")
        parser.add_argument("--verify", action="store_true", help="Only reads the backup through.")

    def handle(self, *args: Any, **options: Any) -> None:
        backup, named = options["backup"].resolve(), options["erased"] and options["erased"].resolve()
        if connection.vendor != "postgresql":
            raise CommandError("Backups are of PostgreSQL: set DB_NAME and the others.")
        try:
            if options["verify"]:
                manifest, files = verify_backup(backup)
                self.stdout.write(f"whole: {len(manifest['tables'])} tables, {len(files)} files")
                return
            self.refuse_pooler()
            self.check_list(backup, named=named)
            manifest, files = verify_backup(backup)
            if options["yes_replace"]:
                self.note_erased(named or backup.parent / LEDGER)
            else:
                check_empty()
        except NotEmpty as error:
            raise CommandError(
                f"Nothing was touched: {error} With --yes-replace the backup takes its place."
            ) from error
        except (BackupBroken, ListTooOld, TooNew, DatabaseError, *STORAGE_ERRORS) as error:
            raise CommandError(f"Nothing was touched: {error}") from error
        self.put_back(backup, manifest, files)

    def refuse_pooler(self) -> None:
        """The dump sets up its session for itself, and a pooler would hand that to the next client."""
        if not locks.exist():
            raise CommandError(
                "Nothing was touched: restore goes to PostgreSQL itself, not through a pooler."
                " Unset DB_POOLED, and set DB_HOST and DB_PORT to PostgreSQL's."
            )

    def check_list(self, backup: Path, *, named: Path | None) -> None:
        """Tell of when the list of erased people is, before it is too late to look for a newer one."""
        said = read_beside(backup, named=named)
        if said is not None:
            self.stdout.write(f"list of erased people: {len(said.entries)}, {age_of(said)}")

    def note_erased(self, path: Path) -> None:
        """Keep what the database that is replaced knows of erasures: it goes with it."""
        if not path.exists():
            self.stderr.write(
                f"There was no list of erased people at {path}: what is replaced may know some of them."
            )
        try:
            self.stdout.write(f"erased people noted from what is replaced: {note_erased(path)}")
        except DatabaseError:
            self.stderr.write(
                "The database that is replaced does not tell whom it has erased."
                " Whoever is not on the list of erased people will be back."
            )
        except BackupRunning as error:
            raise CommandError(f"Nothing was touched: somebody else writes {path}.") from error
        except OSError as error:
            raise CommandError(
                f"Nothing was touched: {error}. Erasures are noted in that list:"
                " name a copy that can be written with --erased FILE."
            ) from error

    def put_back(self, backup: Path, manifest: dict[str, Any], files: dict[str, Kept]) -> None:
        try:
            done = restore(backup, manifest, files)
        except ProgramFailed as error:
            raise CommandError(f"Not restored: {error}") from error
        except LoadedBut as error:
            self.tell_missing(manifest["files"]["missing"])
            raise CommandError(f"The database is loaded, but: {error}", returncode=LOADED_BUT) from error
        self.stdout.write(
            f"equal to what was kept: {done.tables} tables, {done.rows} rows, {done.files} files"
        )
        self.tell_missing(manifest["files"]["missing"])
        self.stdout.write(f"as of: {done.snapshot_at}")

    def tell_missing(self, missing: list[str]) -> None:
        keys = f": {', '.join(missing[:SHOWN])}" if missing else ""
        self.stdout.write(f"files that rows name and the backup never had: {len(missing)}{keys}")
