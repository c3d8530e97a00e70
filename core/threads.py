"""Where sockets do their database work: in a few threads, so that one slow query does not hold them all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import ParamSpec, TypeVar

    Given = ParamSpec("Given")
    Answer = TypeVar("Answer")


def in_database(call: Callable[Given, Answer]) -> Callable[Given, Awaitable[Answer]]:
    """Return a call as one that an event loop can wait for.

    Each thread keeps one connection, which is checked at each use, so a process has as many at most.
    Without threads (SOCKET_DB_THREADS=0) it runs in asgiref's one thread for all that is sensitive, where a
    test has its transaction.
    """
    threads = settings.SOCKET_DB_THREADS
    options: dict[str, Any] = {"thread_sensitive": False, "executor": pool_of(threads)} if threads else {}
    awaitable: Callable[Given, Awaitable[Answer]] = database_sync_to_async(call, **options)
    return awaitable


@lru_cache
def pool_of(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="socket-database")
