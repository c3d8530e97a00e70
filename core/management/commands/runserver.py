"""``manage.py runserver``: the development server, which keeps time too: jobs come round without a cron."""

from typing import Any

from daphne import http_protocol
from daphne.management.commands.runserver import Command as DaphneCommand

from core.clock import start_clock


class WholeRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """Hands bodies on as they came: Twisted would refuse a form that it cannot read with an empty 400."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)


class Command(DaphneCommand):  # type: ignore[misc]
    def inner_run(self, *args: Any, **options: Any) -> None:
        """Serve: in this process, and not in the one that only watches the code."""
        # Where daphne's factory finds the class that it makes requests of; it takes no other.
        http_protocol.WebRequest = WholeRequest
        start_clock()
        super().inner_run(*args, **options)
