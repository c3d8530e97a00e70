"""Whether what we depend on answers: fixed words for everybody, reasons only in the log."""

from __future__ import annotations

import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 0.8
# Each has threads of its own: probes that a frozen database holds must not make the cache look dead.
executors: Final = {
    name: ThreadPoolExecutor(max_workers=2, thread_name_prefix=f"health-{name}")
    for name in ("database", "redis")
}


def services() -> dict[str, str]:
    """Probe database and cache at once; each word is ``connected`` or ``error``, within 0.8 s.

    Threads do the probing, since a frozen server answers neither yes nor no.
    """
    database = connection._connections[connection._alias]  # type: ignore[attr-defined]  # noqa: SLF001
    database.inc_thread_sharing()
    probes: dict[str, Future[bool]] = {
        "database": executors["database"].submit(succeeds, "database", lambda: ask_database(database)),
        "redis": executors["redis"].submit(succeeds, "redis", ask_cache),
    }
    wait(probes.values(), timeout=PATIENCE_SECONDS)
    if probes["database"].done():
        database.dec_thread_sharing()
    else:
        # The stuck probe keeps that connection; the next request of this thread opens its own.
        del connections["default"]
    return {
        name: "connected" if probe.done() and probe.result() else "error" for name, probe in probes.items()
    }


def succeeds(name: str, probe: Callable[[], None]) -> bool:
    """Run a probe. Whatever it raises means that the dependency is down, and is logged by type alone."""
    started = time.monotonic()
    try:
        probe()
    except Exception as error:  # noqa: BLE001 - drivers raise anything; here, and only here, all mean "down"
        logger.warning("probe_failed", extra={"probe": name, "store_error": type(error).__name__})
        return False
    return time.monotonic() - started < PATIENCE_SECONDS


def ask_database(database: object) -> None:
    with database.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT 1")
        cursor.fetchone()


def ask_cache() -> None:
    value = uuid.uuid4().hex
    cache.set(f"health:{value}", value, timeout=5)
    if cache.get(f"health:{value}") != value:
        message = "The cache lost a value."
        raise RuntimeError(message)
    cache.delete(f"health:{value}")
