"""Database and cache, without which nothing can be served: asked at each call."""

from __future__ import annotations

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
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


def ask_stores(until: float) -> dict[str, bool]:
    """Ask both at once, and tell which has answered by that moment of the monotonic clock.

    Threads do the asking, since a frozen server answers neither yes nor no.
    """
    database = Loan(executors["database"], ask_database)
    redis = executors["redis"].submit(ask_cache)
    wait([database.answer, redis], timeout=until - monotonic())
    database.settle(0)
    return {name: is_well(name, probe) for name, probe in (("database", database.answer), ("redis", redis))}


def is_well(name: str, probe: Future[Any]) -> bool:
    """Tell whether a probe is through without a fault. Drivers raise anything: all of it means "down"."""
    if probe.cancelled() or not probe.done():
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
