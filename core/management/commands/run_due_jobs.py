"""``manage.py run_due_jobs``: call it every minute, from one machine or from all."""

from typing import Any

from django.core.management.base import BaseCommand

from core.periodic import run_due_jobs


class Command(BaseCommand):
    help = "Starts the periodic jobs that are due; several callers at once never start one twice."

    def handle(self, *args: Any, **options: Any) -> None:
        for name in run_due_jobs():
            self.stdout.write(f"{name}: started")
