"""``manage.py restore``: what ``scripts/restore.sh`` runs first."""

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from core import locks
from core.recovery.folders import LEDGER, BackupBroken, BackupRunning
from core.recovery.ledger import ListTooOld, age_of, note_erased, read_beside
from core.recovery.programs import ProgramFailed
from core.recovery.restore import (
    SHOWN,
    LoadedBut,
    NotEmpty,
    TooNew,
    Verified,
    check_empty,
    restore,
    verify_backup,
)
from core.uploads.store import STORAGE_ERRORS

# After NOTHING_TOUCHED, and 2, which unknown words end with, restore.sh ends. After any other it erases
# again: 1 is what an exception that nobody has caught ends with, and then anything may have been loaded.
LOADED_BUT: Final = 3
NOTHING_TOUCHED: Final = 4


class NothingTouched(CommandError):
    """Database, storage and list of erased people are as they were."""

    def __init__(self, why: object) -> None:
        super().__init__(f"Nothing was touched: {why}", returncode=NOTHING_TOUCHED)


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
        parser.add_argument(
            "--rehearsal",
            action="store_true",
            help="Notes nobody in the list of erased people beside the backup: it is production's.",
        )
        parser.add_argument(
            "--without-damaged",
            action="store_true",
            help="Restores what is left where files of the backup are damaged.",
        )
        parser.add_argument("--verify", action="store_true", help="Only reads the backup through.")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise NothingTouched("Backups are of PostgreSQL: set DB_NAME and the others.")
        try:
            if options["verify"]:
                self.tell_whole(verify_backup(options["backup"].resolve()))
                return
            backup = self.checked(options)
        except NotEmpty as error:
            raise NothingTouched(f"{error} With --yes-replace the backup takes its place.") from error
        except (BackupBroken, ListTooOld, TooNew, DatabaseError, InterfaceError, *STORAGE_ERRORS) as error:
            raise NothingTouched(error) from error
        self.put_back(backup)

    def checked(self, options: dict[str, Any]) -> Verified:
        """Read the backup through, and raise what speaks against restoring it."""
        self.refuse_pooler()
        path, named = options["backup"].resolve(), options["erased"]
        self.check_list(path, named=named and named.resolve())
        backup = verify_backup(path)
        if backup.damaged:
            told = told_damaged(backup)
            if not options["without_damaged"]:
                raise BackupBroken(f"{told}. With --without-damaged the others are restored.")
            self.stderr.write(f"Not restored: {told}.")
        if not options["yes_replace"]:
            check_empty()
        elif not options["rehearsal"]:
            self.note_erased(path.parent / LEDGER)
        return backup

    def tell_whole(self, backup: Verified) -> None:
        for key in backup.damaged:
            self.stdout.write(f"damaged: {key}")
        if backup.damaged:
            raise BackupBroken(told_damaged(backup))
        self.stdout.write(f"whole: {len(backup.manifest['tables'])} tables, {len(backup.files)} files")

    def refuse_pooler(self) -> None:
        """The dump sets up its session for itself, and a pooler would hand that to the next client."""
        if not locks.exist():
            raise NothingTouched(
                "restore goes to PostgreSQL itself, not through a pooler."
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
            raise NothingTouched(f"somebody else writes {path}.") from error
        except OSError as error:
            raise NothingTouched(
                f"{error}. Erasures are noted in that list, beside the backup: see that it can be written,"
                " or copy both to where it can."
            ) from error

    def put_back(self, backup: Verified) -> None:
        missing = backup.manifest["files"].get("missing", [])
        try:
            done = restore(backup)
        except ProgramFailed as error:
            raise CommandError(f"Not restored: {error}", returncode=NOTHING_TOUCHED) from error
        except LoadedBut as error:
            self.tell_missing(missing)
            raise CommandError(f"The database is loaded, but: {error}", returncode=LOADED_BUT) from error
        self.stdout.write(
            f"equal to what was kept: {done.tables} tables, {done.rows} rows, {done.files} files"
        )
        self.tell_missing(missing)
        self.stdout.write(f"as of: {done.snapshot_at}")

    def tell_missing(self, missing: list[str]) -> None:
        keys = f": {', '.join(missing[:SHOWN])}" if missing else ""
        self.stdout.write(f"files that rows name and the backup never had: {len(missing)}{keys}")


def told_damaged(backup: Verified) -> str:
    some = ", ".join(backup.damaged[:SHOWN])
    return f"{len(backup.damaged)} files of {backup.path} are missing, or are not what was kept: {some}"
