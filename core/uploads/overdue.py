"""A storage or scanner that stalls holds some threads of a process; all of them for some seconds at most."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, Final

from core.refusals import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS: Final = 2.0
BYTES_PER_SECOND: Final = 5_000_000  # slower is no work any more, but waiting
# As deploy/gunicorn.conf.py reads it: two threads are left for everybody else.
MOST_INSIDE: Final = max(1, int(os.environ.get("WEB_THREADS", "8")) - 2)
MOST_OVERDUE: Final = min(2, MOST_INSIDE)
LOOK_SECONDS: Final = 0.1


class Bulkhead:
    """Guards one thing that uploads wait for, for all threads of a process.

    All pass, so many at a time: a class that uploads at once waits its turn. While two have been there for
    longer than their size takes, who waits is refused, and the next at once. Once one has, no more than two
    are let in at a time until one of them is through in time: clients come again, all at once.
    """

    def __init__(self, sentence: str) -> None:
        """Take what those are told who are refused."""
        self.sentence = sentence
        self.changed = Condition()
        self.due: dict[object, float] = {}
        self.is_stalling = False

    @contextmanager
    def passing(self, size: int) -> Iterator[None]:
        """Wait for that thing inside, with so many bytes. Raises Unavailable (503)."""
        ticket = object()
        with self.changed:
            while self.is_full():
                self.changed.wait(LOOK_SECONDS)
            self.due[ticket] = time.monotonic() + PATIENCE_SECONDS + size / BYTES_PER_SECOND
        try:
            yield
        finally:
            with self.changed:
                self.is_stalling = self.due.pop(ticket) < time.monotonic()
                self.changed.notify()

    def is_full(self) -> bool:
        """Tell whether there is no place yet. Raises Unavailable where it is not worth waiting for."""
        now = time.monotonic()
        # As long as it stalls, whoever is inside counts.
        overdue = sum(due < now or self.is_stalling for due in self.due.values())
        if overdue >= MOST_OVERDUE:
            raise Unavailable(self.sentence)
        return len(self.due) >= MOST_INSIDE
