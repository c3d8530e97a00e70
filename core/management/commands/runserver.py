"""``manage.py runserver``: the development server, which keeps time too: jobs come round without a cron."""

from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand

from core.clock import start_clock


class Command(DaphneCommand):  # type: ignore[misc]
    def inner_run(self, *args: Any, **options: Any) -> None:
        """Serve: in this process, and not in the one that only watches the code."""
        start_clock()
        super().inner_run(*args, **options)
