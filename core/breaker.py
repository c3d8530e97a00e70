"""A rest for a store that does not answer, so that not every caller waits to find out."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import TimeoutError as RedisSilent

if TYPE_CHECKING:
    from collections.abc import Iterator

# What tells of the store, and not of what it was asked: a script that it refuses is none of these.
SILENCE: Final = (RedisDown, RedisSilent, ConnectionInterrupted, OSError)


class Resting(Exception):
    """The store did not answer a moment ago, and is not asked."""


class Breaker:
    """Guards one store, for all threads of a process.

    After a fault nobody asks for ``STORE_REST_SECONDS``. Then one caller does, while the others go on
    resting; what it meets decides. One that never comes back has held the others up for one more rest.
    Only for what has a fall-back: where Redis must be asked, ask it.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.rests_until: float | None = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask the store inside; its faults go through, and are remembered. Raises Resting."""
        if not self.may_ask():
            raise Resting
        try:
            yield
        except SILENCE:
            self.rest()
            raise
        self.rests_until = None

    def may_ask(self) -> bool:
        with self.lock:
            if self.rests_until is None:
                return True
            if time.monotonic() < self.rests_until:
                return False
            self.rests_until = time.monotonic() + settings.STORE_REST_SECONDS
            return True

    def rest(self) -> None:
        self.rests_until = time.monotonic() + settings.STORE_REST_SECONDS
