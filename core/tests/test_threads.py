"""The database work of sockets: side by side, in so many threads and no more."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from django.test import SimpleTestCase, override_settings

from core.threads import CACHE_THREADS, in_cache, in_database, pool_of

PATIENCE = 5


class ThreadsTests(SimpleTestCase):
    def setUp(self) -> None:
        pool_of.cache_clear()
        self.addCleanup(pool_of.cache_clear)

    @override_settings(SOCKET_DB_THREADS=2)
    async def test_one_that_waits_does_not_hold_the_next(self) -> None:
        both = threading.Barrier(2)

        await asyncio.gather(*(in_database(both.wait)(PATIENCE) for _ in range(2)))

    @override_settings(SOCKET_DB_THREADS=2)
    async def test_there_are_so_many_and_no_more(self) -> None:
        threads = await asyncio.gather(*(in_database(threading.get_ident)() for _ in range(50)))

        self.assertLessEqual(len(set(threads)), 2)
        self.assertNotIn(threading.get_ident(), threads)

    async def test_a_tests_own_thread_does_it_in_tests(self) -> None:
        threads = await asyncio.gather(*(in_database(threading.get_ident)() for _ in range(5)))

        self.assertEqual(len(set(threads)), 1)

    @override_settings(SOCKET_DB_THREADS=1)
    async def test_a_cache_that_is_stuck_holds_up_no_query(self) -> None:
        mended = threading.Event()
        stuck = [asyncio.ensure_future(in_cache(mended.wait)(PATIENCE)) for _ in range(3 * CACHE_THREADS)]
        await asyncio.sleep(0)

        thread = await in_database(threading.get_ident)()

        self.assertFalse(any(one.done() for one in stuck))
        self.assertNotEqual(thread, threading.get_ident())
        mended.set()
        await asyncio.gather(*stuck)

    @override_settings(SOCKET_DB_THREADS=1)
    async def test_what_it_raises_comes_through(self) -> None:
        def fail(sentence: str) -> Any:
            raise KeyError(sentence)

        with self.assertRaisesMessage(KeyError, "gone"):
            await in_database(fail)("gone")
