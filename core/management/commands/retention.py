"""``manage.py retention``: what the periodic jobs would delete, without deleting it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.periodic import forgetting, jobs


class Command(BaseCommand):
    help = (
        "Says what the periodic jobs would delete now: how many, and how old the oldest is. Deletes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("jobs", nargs="*", help="Of these jobs alone.", metavar="JOB")
        parser.add_argument("--apply", action="store_true", help="Runs the jobs after the report.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["jobs"] or sorted(forgetting)
        if unknown := sorted(set(chosen) - forgetting.keys()):
            raise CommandError(
                f"No such job: {', '.join(unknown)}. There are {', '.join(sorted(forgetting))}."
            )
        for name in chosen:
            self.report(name)
        for name in chosen if options["apply"] else []:
            _, job = jobs[name]
            done = ", ".join(f"{what} {count}" for what, count in job().items())
            self.stdout.write(f"{name} has run: {done}")

    def report(self, name: str) -> None:
        for due in forgetting[name]:
            for line in due():
                oldest = f", the oldest of {line.oldest:%Y-%m-%d %H:%M} UTC" if line.oldest else ""
                self.stdout.write(f"{name}: {line.what}: {line.count}{oldest}")
