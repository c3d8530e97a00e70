"""``manage.py erase_again``: what ``scripts/restore.sh`` runs once the backup is back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from core.recovery.folders import LEDGER, BackupBroken, BackupRunning, manifest_of
from core.recovery.ledger import moment_of, note_erased, read_ledger, read_to_restore
from core.recovery.restore import SHOWN
from users.services.erased_before import erase_since

if TYPE_CHECKING:
    from datetime import datetime

    from core.recovery.ledger import Erased


class Command(BaseCommand):
    help = "Erases whoever has been erased since a backup was made, after it was put back."
    requires_system_checks: list[str] = []  # of how to serve, which this does not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="The folder of the backup that was put back.")
        parser.add_argument("ledger", type=Path, help="The list of erased people, erased-people.txt.")
        parser.add_argument(
            "--rehearsal",
            action="store_true",
            help="Leaves the list beside the backup as it is: it is production's.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since, named = self.read(options["backup"], options["ledger"].resolve())
        beside = options["backup"].resolve().parent / LEDGER
        entries = [*named, *self.read_beside(beside)]
        done = erase_since(entries, since=since)
        self.stdout.write(f"erased again: {done.people}")
        faults = []
        if done.failed:
            faults.append(
                f"{len(done.failed)} people could not be erased again, and are back: ids"
                f" {', '.join(map(str, done.failed[:SHOWN]))}. The log has person_not_erased_again for each."
            )
        if not options["rehearsal"]:
            faults += self.note(beside, entries)
        if faults:
            raise CommandError(" ".join(faults))

    def read(self, backup: Path, path: Path) -> tuple[datetime, list[Erased]]:
        try:
            since = moment_of(manifest_of(backup)["snapshot_at"])
            named = read_to_restore(path).entries
        except (BackupBroken, OSError, KeyError) as error:
            raise CommandError(f"Nobody was erased: {error}") from error
        if since is None:
            raise CommandError("Nobody was erased: the manifest tells no moment.")
        return since, named

    def read_beside(self, path: Path) -> list[Erased]:
        """Return what the list beside the backup knows. One that cannot be read holds up no other."""
        try:
            return read_ledger(path).entries if path.exists() else []
        except (BackupBroken, OSError) as error:
            self.stderr.write(f"{path} was left out: {error}")
            return []

    def note(self, path: Path, entries: list[Erased]) -> list[str]:
        """Have the list beside the backup know all of them, and when; returns a word where it does not.

        A backup that was made while they were back has them: it asks for the later moment. And who stands in
        another list alone would come back with the next one that is restored.
        """
        try:
            note_erased(path, among={entry.person_id for entry in entries}, more=entries)
        except (BackupBroken, BackupRunning, DatabaseError, InterfaceError, OSError) as error:
            told = f"{path} does not tell all that were erased, and when: {error!r}."
            return [f"{told} When it can be written, run this again."]
        return []
