"""Late tasks and pending migrations, as the database tells: asked every half a minute at most."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from core.health.parts import EVERY_SECONDS, UNKNOWN
from core.health.stores import executors
from core.watching import backlog
from core.watching.lending import Loan, in_short

if TYPE_CHECKING:
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

LATE_SECONDS: Final = 600.0
SIGN_IN_LATE_SECONDS: Final = 60.0  # somebody waits for that mail
ENOUGH_SECONDS: Final = 0.2
MORE_SECONDS: Final = 0.4  # a statement takes half a second at most, where the database is well

ON_TIME, LATE = "on_time", "late"
APPLIED, PENDING = "applied", "pending"


class Standing:
    """What was learnt last, for all callers of this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.files = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health-migrations")
        self.reading: Future[frozenset[tuple[str, str]]] | None = None
        self.forget()

    def forget(self) -> None:
        self.learnt = {"tasks": UNKNOWN, "migrations": UNKNOWN}
        self.asked_at = -EVERY_SECONDS

    def read_migrations(self) -> None:
        """Start reading their files, once a process: it takes some tenths of a second of the processor."""
        with self.lock:
            self.reading = self.reading or self.files.submit(backlog.migrations.load)

    def words(self, until: float) -> dict[str, str]:
        """Ask where it is time to, and return what was learnt last. Call it while the database answers.

        Where the call has taken long already, the next one will do: a loan that runs out costs a connection.
        """
        if until - monotonic() > ENOUGH_SECONDS and self.is_time():
            loan = Loan(executors["database"], self.ask)
            if not loan.settle(until + MORE_SECONDS - monotonic()):
                self.tell("TimeoutError")
            elif (error := loan.answer.exception()) is not None:
                self.tell(type(error).__name__)
        return self.learnt

    def is_time(self) -> bool:
        """Tell one caller that it is its turn to ask; the others take what there is."""
        with self.lock:
            is_time = monotonic() - self.asked_at >= EVERY_SECONDS
            if is_time:
                self.asked_at = monotonic()
        return is_time

    def ask(self) -> None:
        """Ask within a transaction whose statements are short. Raises the database's errors."""
        are_read = bool(backlog.migrations.names)
        with in_short():
            tasks = LATE if is_late(backlog.queues()) else ON_TIME
            migrations = UNKNOWN
            if are_read:
                migrations = PENDING if backlog.migrations.pending() else APPLIED
        self.learnt = {"tasks": tasks, "migrations": migrations}
        if not are_read:
            self.asked_at = -EVERY_SECONDS  # the next caller need not wait for the rest

    def tell(self, fault: str) -> None:
        self.learnt = {"tasks": UNKNOWN, "migrations": UNKNOWN}
        logger.warning("probe_failed", extra={"probe": "tasks", "store_error": fault})


def is_late(queues: dict[str, backlog.Queue]) -> bool:
    return any(
        queue.lag > (SIGN_IN_LATE_SECONDS if name == "sign-in" else LATE_SECONDS)
        for name, queue in queues.items()
    )


standing: Final = Standing()
