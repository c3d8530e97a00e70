"""How long work may take: an alarm ends it in a worker; in other threads, a line in the log tells of it."""

from __future__ import annotations

import logging
import signal
from contextlib import contextmanager, nullcontext
from functools import partial
from threading import Event, current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.db import connections, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

AT_ONCE_SECONDS: Final = 0.001
AGAIN_SECONDS: Final = 10


class TimeLimitExceeded(BaseException):
    """Work took longer than it may. Not an ``Exception``: whoever catches those would let it run on."""


@contextmanager
def time_limit(seconds: float, *, name: str) -> Iterator[None]:
    """Raise TimeLimitExceeded in the block after so many seconds, or earlier where an outer limit says so.

    Signals reach the main thread alone, which is where a worker runs its tasks. Elsewhere the block runs
    to its end. A database statement that runs at the alarm is waited for (``statement_timeout``).
    """
    began = monotonic()
    try:
        with alarm(seconds) if current_thread() is main_thread() else nullcontext():
            yield
    finally:
        took = monotonic() - began
        if took > seconds:
            told = {"task": name, "limit_seconds": seconds, "seconds": round(took, 1)}
            logger.warning("time_limit_exceeded", extra=told)


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Ring, again and again until the block has ended, then leave handler and timer as they were found."""
    began, rung, over = monotonic(), Event(), Event()
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    in_transaction = transaction.get_connection().in_atomic_block
    handler = signal.signal(signal.SIGALRM, partial(ring, rung, over))
    # Again: what is being tidied up after the first ring may hang, too.
    signal.setitimer(signal.ITIMER_REAL, min(seconds, left or seconds), AGAIN_SECONDS)
    try:
        try:
            yield
        except Exception as error:
            if not rung.is_set():
                raise
            # A transaction that was torn may end in a fault of its own.
            raise TimeLimitExceeded().with_traceback(error.__traceback__) from error
        finally:
            over.set()
    finally:
        # Twice: the first may be what the alarm strikes.
        over.set()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:
            rest = max(left - (monotonic() - began), AT_ONCE_SECONDS)
            signal.setitimer(signal.ITIMER_REAL, rest, AGAIN_SECONDS)
        if rung.is_set() and not in_transaction:
            drop_connections()


def ring(rung: Event, over: Event, *args: Any) -> None:
    if not over.is_set():
        rung.set()
        raise TimeLimitExceeded


def drop_connections() -> None:
    """Give up this thread's connections: the alarm may have struck amid the bookkeeping of a transaction."""
    for connection in connections.all(initialized_only=True):
        connection.in_atomic_block = False  # else it would be kept for a transaction that nobody ends
        connection.close()
