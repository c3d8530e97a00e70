"""Scanner and bucket hold some threads of a process while they are slow, and never all of them for long."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, Final

from core.refusals import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS: Final = 2.0
BYTES_PER_SECOND: Final = 5_000_000  # slower is no work any more, but waiting
# As deploy/gunicorn.conf.py reads it: two threads are left for everybody else.
MOST_INSIDE: Final = max(1, int(os.environ.get("WEB_THREADS", "8")) - 2)
MOST_OVERDUE: Final = min(2, MOST_INSIDE)
LINE_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.1


class Full(Unavailable):
    """As many threads wait inside as may (503). Nothing need be wrong: it is worth to come again soon."""

    retry_after = 2


class Places:
    """How many threads of a process may wait inside, of all bulkheads together, and the line before them.

    Who stands in line holds a thread, too. That is no matter while it moves, and clients send a class's files
    and a page's pictures at once. But if for a second nobody gets in, all who are inside take that long: then
    whoever has waited for it is refused, and who comes is refused at once until somebody has got in, and for
    a second at least.
    """

    def __init__(self) -> None:
        """Begin with all places free."""
        self.changed = Condition()  # guards the bulkheads' own numbers, too
        self.inside = 0
        self.line: deque[object] = deque()
        self.moved_at = self.refused_at = float("-inf")

    def await_turn(self, check: Callable[[], None], sentence: str) -> None:
        """Return once there is a place, in the order of coming. Raises Full (503), and what ``check`` raises.

        The caller holds ``changed``, and takes the place before it lets go.
        """
        me, came_at = object(), time.monotonic()
        self.line.append(me)
        try:
            check()
            while self.inside >= MOST_INSIDE or self.line[0] is not me:
                if self.is_closed() or self.is_still(since=came_at):
                    raise Full(sentence)
                self.changed.wait(LOOK_SECONDS)
                check()
            self.moved_at = time.monotonic()
        finally:
            self.line.remove(me)
            self.changed.notify_all()

    def is_closed(self) -> bool:
        """Tell whether somebody waited in vain just now, or nobody has got in since then."""
        return self.refused_at > self.moved_at or time.monotonic() - self.refused_at < LINE_SECONDS

    def is_still(self, *, since: float) -> bool:
        """Tell whether nobody has got in for a second in which this one waited; then the line is closed."""
        now = time.monotonic()
        if now - max(since, self.moved_at) < LINE_SECONDS:
            return False
        self.refused_at = now
        return True


PLACES: Final = Places()


class Bulkhead:
    """Guards one thing that requests wait for, for all threads of a process.

    Who has been there for longer than its patience, and what a size takes, is overdue; so is who gave up
    after its patience, whatever the size. While two are overdue, who waits is refused, and the next at once.
    Once one was, no more than two are let in at a time until one is through in time: clients come again, all
    at once.
    """

    def __init__(
        self,
        sentence: str,
        patience: Callable[[], float] = lambda: PATIENCE_SECONDS,
        places: Places = PLACES,
    ) -> None:
        """Take what those are told who are refused, and its patience in seconds."""
        self.sentence, self.patience, self.places = sentence, patience, places
        self.due: dict[object, float] = {}
        self.is_stalling = False

    @contextmanager
    def passing(self, size: int = 0, *, in_turn: bool = True) -> Iterator[None]:
        """Wait for that thing inside, with so many bytes. Raises Unavailable (503).

        Without ``in_turn`` nobody is refused, and it counts all the same: for those in the middle of it.
        """
        ticket, patience = object(), self.patience()
        with self.places.changed:
            if in_turn:
                self.places.await_turn(self.check, self.sentence)
            limit = time.monotonic() + patience
            self.places.inside += 1
            self.due[ticket] = limit + size / BYTES_PER_SECOND
        is_through = False
        try:
            yield
            is_through = True
        finally:
            with self.places.changed:
                due = self.due.pop(ticket)
                is_late = (due if is_through else limit) <= time.monotonic()
                self.is_stalling = is_late or (self.is_stalling and not is_through)
                self.places.inside -= 1
                self.places.changed.notify_all()

    def check(self) -> None:
        """Raise Unavailable where it is not worth waiting for."""
        now = time.monotonic()
        # As long as it stalls, whoever is inside counts.
        overdue = sum(due <= now or self.is_stalling for due in self.due.values())
        if overdue >= MOST_OVERDUE:
            raise Unavailable(self.sentence)
