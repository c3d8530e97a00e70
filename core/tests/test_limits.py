"""Budgets over sliding windows, on whichever cache this run has."""

from __future__ import annotations

import random
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import skipIf, skipUnless
from unittest.mock import patch

import time_machine
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import SimpleTestCase

from core.limits import Limit, key_of, parse_limits, take
from core.testing import in_parallel, on_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 1_900_000_000.0


class LimitTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.bucket = uuid.uuid4().hex
        traveller = time_machine.travel(START, tick=False)
        self.clock = traveller.start()
        self.addCleanup(traveller.stop)

    def take(self, rates: str, after: float = 0, **kwargs: Any) -> int:
        self.clock.shift(after)
        return take(self.bucket, rates, **kwargs)


class WindowTests(LimitTestCase):
    def test_the_window_slides_to_the_millisecond(self) -> None:
        self.assertEqual(self.take("1/30s"), 0)
        self.assertEqual(self.take("1/30s", after=29.9), 1)
        self.assertEqual(self.take("1/30s", after=0.1), 0)

    def test_the_wait_is_in_whole_seconds_and_long_enough(self) -> None:
        self.take("1/30s")

        self.assertEqual([self.take("1/30s", after=seconds) for seconds in (0, 0.5, 10)], [30, 30, 20])

    def test_every_window_of_a_bucket_counts(self) -> None:
        rates = "1/30s,3/15m"
        waits = [self.take(rates, after=31) for _ in range(4)]

        self.assertEqual(waits, [0, 0, 0, 15 * 60 - 3 * 31])
        self.assertEqual(self.take(rates, after=waits[-1]), 0)

    def test_a_refused_take_costs_nothing(self) -> None:
        self.take("1/30s")
        for _ in range(10):
            self.take("1/30s", after=1)

        self.assertEqual(self.take("1/30s", after=20), 0)

    def test_buckets_know_nothing_of_each_other(self) -> None:
        self.take("1/30s")

        self.assertEqual(take(f"{self.bucket}-other", "1/30s"), 0)

    def test_no_rate_is_no_limit(self) -> None:
        self.assertEqual([self.take("") for _ in range(50)], [0] * 50)

    def test_rates_are_read_in_seconds_minutes_hours_and_days(self) -> None:
        second = 1_000
        self.assertEqual(
            parse_limits("1/2s,3/4m,5/6h,7/8d"),
            (
                Limit(1, 2 * second),
                Limit(3, 4 * 60 * second),
                Limit(5, 6 * 3_600 * second),
                Limit(7, 8 * 86_400 * second),
            ),
        )

    def test_no_window_ever_holds_more_than_its_count(self) -> None:
        dice = random.Random(7)
        taken: list[float] = []
        for _ in range(400):
            self.clock.shift(dice.choice([0, 0.001, 0.4, 1, 3]))
            now = round(time.time(), 3)
            full = self.is_full(taken, now)
            if take(self.bucket, "2/1s,5/10s") == 0:
                self.assertFalse(full, now)
                taken.append(now)
            else:
                self.assertTrue(full, now)
        self.assertGreater(len(taken), 50)

    @staticmethod
    def is_full(taken: list[float], now: float) -> bool:
        def within(seconds: float) -> Iterator[float]:
            return (moment for moment in taken if round((now - moment) * 1_000) < seconds * 1_000)

        return len(list(within(1))) >= 2 or len(list(within(10))) >= 5


class ParallelTests(LimitTestCase):
    @staticmethod
    def slowly(cache: Any, key: str, default: Any = None, get: Any = LocMemCache.get) -> Any:
        """Leave time for the others between reading and writing."""
        value = get(cache, key, default)
        time.sleep(0.001)
        return value

    def take_from(self, store: str, number: int) -> int:
        return take(self.bucket, "5/1m", store=store)

    def test_parallel_takes_never_exceed_the_count(self) -> None:
        slow = patch.object(LocMemCache, "get", self.slowly)
        slow.start()
        self.addCleanup(slow.stop)
        for store in ("default", "local"):
            with self.subTest(store):
                waits = in_parallel(partial(self.take_from, store), 40)

                self.assertEqual((waits.count(0), waits.count(60)), (5, 35))


class ExpiryTests(LimitTestCase):
    @skipIf(on_redis(), "Redis keeps its own clock.")
    def test_memory_forgets_a_bucket_after_its_longest_window(self) -> None:
        self.take("1/30s,5/15m")
        key = key_of(self.bucket)
        self.assertEqual(len(cache.get(key)), 1)

        self.clock.shift(15 * 60 + 1)

        self.assertIsNone(cache.get(key))

    def test_the_store_does_not_learn_who_a_bucket_is_named_after(self) -> None:
        """SAFETY B40."""
        self.assertNotIn("ada", key_of("password:192.0.2.1:ada@example.org"))
        self.assertNotEqual(key_of("a"), key_of("b"))

    @skipUnless(on_redis(), "Memory has no time to live to look at.")
    def test_redis_forgets_a_bucket_after_its_longest_window(self) -> None:
        self.take("1/30s,5/15m")
        client: Any = cache
        left = client.client.get_client().pttl(client.make_key(key_of(self.bucket)))

        self.assertTrue(14 * 60 * 1_000 < left <= 15 * 60 * 1_000, left)
