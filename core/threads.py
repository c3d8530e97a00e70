"""Where sockets do what may take a while: in a few threads, so that one slow query does not hold them all."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from channels.db import database_sync_to_async
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import ParamSpec, TypeVar

    Given = ParamSpec("Given")
    Answer = TypeVar("Answer")

CACHE_THREADS: Final = 4


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


def in_cache(call: Callable[Given, Answer]) -> Callable[Given, Awaitable[Answer]]:
    """Return a call of the cache as one that an event loop can wait for.

    In threads of its own: while Redis is stuck, nobody waits behind it for the database. They keep their
    caches from one call to the next, which asgiref would have each caller make anew.
    """

    def awaitable(*args: Given.args, **kwargs: Given.kwargs) -> Awaitable[Answer]:
        return asyncio.get_running_loop().run_in_executor(cache_pool(), partial(call, *args, **kwargs))

    return awaitable


@lru_cache
def cache_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CACHE_THREADS, thread_name_prefix="socket-cache")


@lru_cache
def pool_of(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="socket-database")
