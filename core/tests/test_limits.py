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
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import SimpleTestCase, override_settings
from django_redis.cache import RedisCache
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import TimeoutError as RedisSilent

from core.breaker import Breaker
from core.limits import Limit, give_back, key_of, parse_limits, pour, pour_back, take, take_or_fall_back
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

    def test_a_place_of_which_nothing_came_is_there_again(self) -> None:
        rates = "2/1m,3/15m"
        self.assertEqual([self.take(rates) for _ in range(3)], [0, 0, 60])

        give_back(self.bucket, rates)

        self.assertEqual([self.take(rates), self.take(rates)], [0, 60])

    def test_an_empty_bucket_has_nothing_to_be_given_back(self) -> None:
        for rates in ("1/1m", ""):
            give_back(self.bucket, rates)

        self.assertEqual([self.take("1/1m"), self.take("1/1m")], [0, 60])

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


class BucketTests(LimitTestCase):
    def pour(self, after: float = 0) -> int:
        self.clock.shift(after)
        return pour(self.bucket, burst=2, per_second=0.1)

    def test_a_token_is_there_again_when_it_was_given_back(self) -> None:
        self.assertEqual([self.pour() for _ in range(3)], [0, 0, 10])

        pour_back(self.bucket, per_second=0.1)

        self.assertEqual([self.pour(), self.pour()], [0, 10])
        self.assertEqual([self.pour(after=10), self.pour()], [0, 10])

    def test_a_bucket_never_holds_more_than_its_burst(self) -> None:
        pour_back(self.bucket, per_second=0.1)

        self.assertEqual([self.pour() for _ in range(3)], [0, 0, 10])
        pour_back(self.bucket, per_second=0.1)
        self.assertEqual([self.pour(after=20), self.pour(), self.pour()], [0, 0, 10])

    @skipUnless(on_redis(), "Memory is never away.")
    def test_while_redis_is_away_it_goes_back_to_where_it_came_from(self) -> None:
        away = patch("redis.client.Redis.eval", side_effect=RedisDown)
        with away, patch("core.limits.counters", Breaker()), self.assertLogs("core.limits"):
            self.assertEqual([self.pour() for _ in range(3)], [0, 0, 10])
            pour_back(self.bucket, per_second=0.1)
            self.assertEqual(self.pour(), 0)


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
        self.assertNotIn("lovelace", key_of("password:192.0.2.1:lovelace@example.org"))
        self.assertNotEqual(key_of("a"), key_of("b"))

    @skipUnless(on_redis(), "Memory has no time to live to look at.")
    def test_redis_forgets_a_bucket_after_its_longest_window(self) -> None:
        self.take("1/30s,5/15m")
        client: Any = cache
        left = client.client.get_client().pttl(client.make_key(key_of(self.bucket)))

        self.assertTrue(14 * 60 * 1_000 < left <= 15 * 60 * 1_000, left)


@override_settings(STORE_REST_SECONDS=60)
class SilentRedisTests(LimitTestCase):
    """SAFETY R2, R3: who has a fall-back waits once for all; who has none asks each time."""

    def setUp(self) -> None:
        super().setUp()
        silent = RedisCache("redis://127.0.0.1:1/0", {})
        self.asked = self.enterContext(patch.object(silent.client, "get_client", side_effect=RedisSilent))
        self.enterContext(patch("core.limits.caches", {"default": silent, "local": caches["local"]}))
        self.enterContext(patch("core.limits.counters", Breaker()))

    def test_fairness_is_then_counted_in_this_process(self) -> None:
        with self.assertLogs("core.limits"):
            waits = [take_or_fall_back(self.bucket, "2/1m") for _ in range(3)]

        self.assertEqual((waits, self.asked.call_count), ([0, 0, 60], 1))

    def test_so_are_tokens(self) -> None:
        with self.assertLogs("core.limits"):
            waits = [pour(self.bucket, burst=2, per_second=1) for _ in range(3)]

        self.assertEqual((waits, self.asked.call_count), ([0, 0, 1], 1))

    def test_a_place_goes_back_to_where_it_came_from(self) -> None:
        with self.assertLogs("core.limits"):
            waits = [take_or_fall_back(self.bucket, "2/1m") for _ in range(3)]
            give_back(self.bucket, "2/1m")
            waits.append(take_or_fall_back(self.bucket, "2/1m"))

        self.assertEqual((waits, self.asked.call_count), ([0, 0, 60, 0], 1))

    def test_no_limit_asks_nobody_and_so_tells_nothing_of_redis(self) -> None:
        with self.assertLogs("core.limits") as logs:
            for rates in ("2/1m", "", "2/1m"):
                take_or_fall_back(self.bucket, rates)

        self.assertEqual((self.asked.call_count, len(logs.records)), (1, 2))

    def test_a_budget_of_guesses_is_never_counted_elsewhere(self) -> None:
        with self.assertLogs("core.limits"):
            take_or_fall_back(self.bucket, "2/1m")

        for _ in range(2):
            with self.assertRaises(RedisSilent):
                take(self.bucket, "2/1m")
        self.assertEqual(self.asked.call_count, 3)
