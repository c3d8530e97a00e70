"""The answer of ``/api/health/``: one word for each part, and one for all."""

from __future__ import annotations

from time import monotonic
from typing import Final

from core.health import parts
from core.health.backlog import LATE, NOBODY_KNOWS, PENDING, migration_files, standing
from core.health.stores import ask_stores

PATIENCE_SECONDS: Final = 0.8
HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
TROUBLES: Final = {parts.ERROR, LATE, PENDING}


def services() -> dict[str, str]:
    """Return a word for each part, within a second whatever hangs.

    Database and cache are asked now, the others were half a minute ago at most. What nobody knows yet, or
    cannot know without the database, is ``unknown``. There are ``channels`` where events have a Redis of
    their own.
    """
    until = monotonic() + PATIENCE_SECONDS
    slow = [parts.storage, parts.mail, *([parts.channels] if parts.are_channels_apart() else [])]
    for probe in slow:
        probe.begin()
    stores = ask_stores(until)
    words = {name: parts.CONNECTED if well else parts.ERROR for name, well in stores.items()}
    waiting = standing.words(until) if stores["database"] else NOBODY_KNOWS
    words |= {probe.name: probe.word(until) for probe in slow} | waiting
    migration_files.begin()  # for the next call: meanwhile it would take the processor from this one
    return words


def status_of(services: dict[str, str]) -> str:
    """Return ``unhealthy`` where requests cannot be served, ``degraded`` where something else is in trouble.

    What is unknown is no trouble: a process that has just started would be one.
    """
    if parts.ERROR in {services["database"], services["redis"]}:
        return UNHEALTHY
    return DEGRADED if TROUBLES & set(services.values()) else HEALTHY
