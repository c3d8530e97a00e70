"""A storage or scanner that stalls holds some threads of a process, and never all of them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

from core.refusals import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS: Final = 2.0
BYTES_PER_SECOND: Final = 5_000_000  # slower is no work any more, but waiting
MOST_OVERDUE: Final = 2


class Bulkhead:
    """Guards one thing that uploads wait for, for all threads of a process.

    However many are at work, all pass: a class that uploads at once waits its turn. While two have been
    there for longer than their size takes, the next is refused at once. Once one has, no more than two are
    let in at a time until one of them is through in time: clients come again, all at once.
    """

    def __init__(self, sentence: str) -> None:
        """Take what those are told who are refused."""
        self.sentence = sentence
        self.lock = Lock()
        self.due: dict[object, float] = {}
        self.is_stalling = False

    @contextmanager
    def passing(self, size: int) -> Iterator[None]:
        """Wait for that thing inside, with so many bytes. Raises Unavailable (503)."""
        ticket = object()
        with self.lock:
            now = time.monotonic()
            # As long as it stalls, whoever is inside counts.
            waiting = sum(due < now or self.is_stalling for due in self.due.values())
            if waiting >= MOST_OVERDUE:
                raise Unavailable(self.sentence)
            self.due[ticket] = now + PATIENCE_SECONDS + size / BYTES_PER_SECOND
        try:
            yield
        finally:
            with self.lock:
                self.is_stalling = self.due.pop(ticket) < time.monotonic()
