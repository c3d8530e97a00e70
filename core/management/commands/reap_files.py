"""``manage.py reap_files``: the nightly search for files that no row names, by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.uploads.reaper import reap


class Command(BaseCommand):
    help = "Deletes stored files that no row names and uploads that nothing needs; says what it found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only says what would be found.")

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in reap(dry_run=options["dry_run"]).items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
