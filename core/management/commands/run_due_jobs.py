"""``manage.py run_due_jobs``: call it every minute, from one machine or from all."""

from typing import Any

from django.core.management.base import BaseCommand

from core.periodic import run_due_jobs


class Command(BaseCommand):
    help = "Runs the periodic jobs that are due; several callers at once never run one twice."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, result in run_due_jobs().items():
            self.stdout.write(f"{name}: {result}")
