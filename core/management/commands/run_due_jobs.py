"""``manage.py run_due_jobs``: call it every minute, or once with ``--forever``, on one machine or on all."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.clock import BEAT_SECONDS, beat, keep_time


class Command(BaseCommand):
    help = "Starts periodic jobs that are due, and tasks whose worker was killed; none twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--forever",
            action="store_true",
            help=f"Look every {BEAT_SECONDS} seconds, until SIGTERM or Ctrl-C.",
        )

    def handle(self, *args: Any, forever: bool = False, **options: Any) -> None:
        if forever:
            keep_time(until_told())
            return
        for name in beat():
            self.stdout.write(f"{name}: started")


def until_told() -> Event:
    """Return what SIGTERM and Ctrl-C set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
