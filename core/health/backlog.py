"""Late tasks and pending migrations, as the database tells: asked every half a minute at most."""

from __future__ import annotations

import logging
from threading import Lock
from time import monotonic
from typing import Final

from core.health.parts import CONNECTED, EVERY_SECONDS, GOOD_SECONDS, UNKNOWN, Probe
from core.watching import backlog
from core.watching.lending import Loan, in_short

logger = logging.getLogger(__name__)

LATE_SECONDS: Final = 600.0
SIGN_IN_LATE_SECONDS: Final = 60.0  # somebody waits for that mail
ENOUGH_SECONDS: Final = 0.2
MORE_SECONDS: Final = 0.15  # so that all is told within a second

ON_TIME, LATE = "on_time", "late"
APPLIED, PENDING = "applied", "pending"
NOBODY_KNOWS: Final = {"tasks": UNKNOWN, "migrations": UNKNOWN}


class Standing:
    """What was learnt last, for all callers of this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        self.learnt, self.learnt_at = NOBODY_KNOWS, -EVERY_SECONDS
        self.asked_at, self.had_files = -EVERY_SECONDS, False

    def words(self, until: float) -> dict[str, str]:
        """Ask where it is time to, and return what was learnt last. Call it while the database answers.

        Where the call has taken long already, the next one will do: a loan that runs out costs a connection.
        What was learnt a minute ago tells nothing of now.
        """
        if until - monotonic() > ENOUGH_SECONDS and self.is_time():
            loan = Loan("health-backlog", self.ask)
            if not loan.settle(until + MORE_SECONDS - monotonic()):
                self.tell("TimeoutError")
            elif (error := loan.answer.exception()) is not None:
                self.tell(type(error).__name__)
        return self.learnt if monotonic() - self.learnt_at < GOOD_SECONDS else NOBODY_KNOWS

    def is_time(self) -> bool:
        """Tell one caller that it is its turn to ask; the others take what there is."""
        with self.lock:
            has_files = bool(backlog.migrations.names)
            is_time = monotonic() - self.asked_at >= EVERY_SECONDS or has_files > self.had_files
            if is_time:
                self.asked_at, self.had_files = monotonic(), has_files
        return is_time

    def ask(self) -> None:
        """Ask within a transaction whose statements are short. Raises the database's errors."""
        began = monotonic()
        with in_short():
            tasks = LATE if is_late(backlog.queues()) else ON_TIME
            migrations = UNKNOWN
            if backlog.migrations.names:
                migrations = PENDING if backlog.migrations.pending() else APPLIED
        self.learnt, self.learnt_at = {"tasks": tasks, "migrations": migrations}, began

    def tell(self, fault: str) -> None:
        self.learnt = NOBODY_KNOWS
        logger.warning("probe_failed", extra={"probe": "tasks", "store_error": fault})


def is_late(queues: dict[str, backlog.Queue]) -> bool:
    return any(
        queue.lag > (SIGN_IN_LATE_SECONDS if name == "sign-in" else LATE_SECONDS)
        for name, queue in queues.items()
    )


def read_files() -> str:
    """Read the migrations' files, once a process: it takes some tenths of a second of the processor."""
    backlog.migrations.load()
    return CONNECTED


standing: Final = Standing()
migration_files: Final = Probe("migrations", read_files, lambda: None)
