"""Database and cache, without which nothing can be served: asked at each call."""

from __future__ import annotations

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.db import connection

from core.watching.lending import Loan

if TYPE_CHECKING:
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

# Each has threads of its own: probes that a frozen database holds must not make the cache look dead.
executors: Final = {
    name: ThreadPoolExecutor(max_workers=2, thread_name_prefix=f"health-{name}")
    for name in ("database", "redis")
}

SLOW_SECONDS: Final = 0.4  # half of what a caller waits
MOST_WHILE_SLOW: Final = 2


class Door:
    """Bounds how many of a process's threads wait for one store that is slow: anybody may ask for health.

    However many ask, all pass while it answers. Once a probe has taken longer than ``SLOW_SECONDS``, two
    are let in at a time until one is well in time. No answer is kept: whoever is let in asks anew.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.begun: dict[object, float] = {}
        self.is_slow = False

    def enter(self) -> object | None:
        """Return what to leave with, or None: two have waited for long already."""
        with self.lock:
            now = monotonic()
            is_slow = self.is_slow or any(now - begun > SLOW_SECONDS for begun in self.begun.values())
            if is_slow and len(self.begun) >= MOST_WHILE_SLOW:
                return None
            ticket = object()
            self.begun[ticket] = now
            return ticket

    def leave(self, ticket: object, probe: Future[Any]) -> None:
        with self.lock:
            if monotonic() - self.begun.pop(ticket) > SLOW_SECONDS:
                self.is_slow = True
            elif not probe.cancelled() and probe.exception() is None:
                self.is_slow = False


doors: Final = {name: Door() for name in executors}


def ask_stores(until: float) -> dict[str, bool]:
    """Ask both at once, and tell which has answered by that moment of the monotonic clock.

    Threads do the asking, since a frozen server answers neither yes nor no. Where two probes of a store are
    overdue, it is down without being asked.
    """
    loan: Loan[None] | None = None
    probes: dict[str, Future[None]] = {}
    if (ticket := doors["database"].enter()) is not None:
        loan = Loan(executors["database"], ask_database)
        loan.answer.add_done_callback(partial(doors["database"].leave, ticket))
        probes["database"] = loan.answer
    if (ticket := doors["redis"].enter()) is not None:
        probes["redis"] = executors["redis"].submit(ask_cache)
        probes["redis"].add_done_callback(partial(doors["redis"].leave, ticket))
    wait(probes.values(), timeout=max(0.0, until - monotonic()))
    if loan is not None:
        loan.settle(0)
    for probe in probes.values():
        probe.cancel()  # what no thread has begun
    return {name: is_well(name, probes.get(name)) for name in doors}


def is_well(name: str, probe: Future[Any] | None) -> bool:
    """Tell whether a probe is through without a fault. Drivers raise anything: all of it means "down"."""
    if probe is None or probe.cancelled() or not probe.done():
        fault = "TimeoutError"
    elif (error := probe.exception()) is not None:
        fault = type(error).__name__
    else:
        return True
    logger.warning("probe_failed", extra={"probe": name, "store_error": fault})
    return False


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def ask_cache() -> None:
    value = uuid.uuid4().hex
    cache.set(f"health:{value}", value, timeout=5)
    if cache.get(f"health:{value}") != value:
        message = "The cache lost a value."
        raise RuntimeError(message)
    cache.delete(f"health:{value}")
