"""``manage.py erase_again``: what ``scripts/restore.sh`` runs once the backup is back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.recovery.folders import BackupBroken, manifest_of
from core.recovery.ledger import moment_of, read_ledger
from users.services.erased_before import erase_since


class Command(BaseCommand):
    help = "Erases whoever has been erased since a backup was made, after it was put back."
    requires_system_checks: list[str] = []  # of how to serve, which this does not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="The folder of the backup that was put back.")
        parser.add_argument("ledger", type=Path, help="The list of erased people, erased-people.txt.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            since = moment_of(manifest_of(options["backup"])["snapshot_at"])
            entries = read_ledger(options["ledger"])
        except (BackupBroken, OSError, KeyError) as error:
            raise CommandError(f"Nobody was erased: {error}") from error
        if since is None:
            raise CommandError("Nobody was erased: the manifest tells no moment.")
        self.stdout.write(f"erased again: {erase_since(entries, since=since)}")
