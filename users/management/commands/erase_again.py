"""``manage.py erase_again``: what ``scripts/restore.sh`` runs once the backup is back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.recovery.folders import BackupBroken, BackupRunning, manifest_of
from core.recovery.ledger import moment_of, note_erased, read_to_restore
from users.services.erased_before import erase_since


class Command(BaseCommand):
    help = "Erases whoever has been erased since a backup was made, after it was put back."
    requires_system_checks: list[str] = []  # of how to serve, which this does not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="The folder of the backup that was put back.")
        parser.add_argument("ledger", type=Path, help="The list of erased people, erased-people.txt.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["ledger"].resolve()
        try:
            since = moment_of(manifest_of(options["backup"])["snapshot_at"])
            entries = read_to_restore(path).entries
        except (BackupBroken, OSError, KeyError) as error:
            raise CommandError(f"Nobody was erased: {error}") from error
        if since is None:
            raise CommandError("Nobody was erased: the manifest tells no moment.")
        self.stdout.write(f"erased again: {erase_since(entries, since=since)}")
        try:
            # A backup that was made while they were back has them: it asks for the later moment.
            note_erased(path, among={entry.person_id for entry in entries})
        except (BackupBroken, BackupRunning, OSError) as error:
            raise CommandError(
                f"They were, but {path} does not tell that they were erased today: {error!r}."
                " Run this again with a list that can be written."
            ) from error
