"""A store that does not answer is left alone for a moment, and asked again by one."""

from __future__ import annotations

import threading
from unittest.mock import Mock, patch

from django.test import SimpleTestCase, override_settings
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisSilent

from core.breaker import Breaker, Resting
from core.testing import in_parallel


@override_settings(STORE_REST_SECONDS=1.0)
class BreakerTests(SimpleTestCase):
    def setUp(self) -> None:
        self.breaker, self.now = Breaker(), 100.0
        self.enterContext(patch("core.breaker.time.monotonic", lambda: self.now))

    def ask(self, fault: Exception | None = None) -> str:
        """Return what came of asking a store, which may have a fault."""
        store = Mock(side_effect=fault)
        try:
            with self.breaker.asking():
                store()
        except Exception as error:  # noqa: BLE001 - the outcome
            return type(error).__name__
        return "answered"

    def test_one_that_answers_is_always_asked(self) -> None:
        self.assertEqual([self.ask() for _ in range(3)], ["answered"] * 3)

    def test_after_a_fault_nobody_asks_for_a_while(self) -> None:
        for fault in (RedisDown(), RedisSilent(), ConnectionInterrupted(None), OSError(), TimeoutError()):
            with self.subTest(type(fault).__name__):
                self.breaker = Breaker()
                self.assertEqual(self.ask(fault), type(fault).__name__)
                self.assertEqual(self.ask(), "Resting")
                self.now += 1.0
                self.assertEqual(self.ask(), "answered")

    def test_an_answer_ends_the_rest_for_all(self) -> None:
        self.ask(RedisDown())
        self.now += 1.0
        self.ask()

        self.assertEqual(self.ask(), "answered")

    def test_another_fault_begins_another_rest(self) -> None:
        self.ask(RedisDown())
        self.now += 1.0

        self.assertEqual([self.ask(RedisDown()), self.ask()], ["ConnectionError", "Resting"])

    def test_a_store_that_refuses_what_it_was_asked_is_there(self) -> None:
        self.ask(ResponseError())

        self.assertEqual(self.ask(), "answered")

    def test_one_alone_finds_out_while_the_others_go_on_resting(self) -> None:
        self.ask(RedisDown())
        self.now += 1.0
        others_are_through = threading.Event()
        resting = threading.Semaphore(0)

        def ask(number: int) -> str:
            try:
                with self.breaker.asking():
                    others_are_through.wait(5)
                    return "asked"
            except Resting:
                resting.release()
                if not any(not resting.acquire(timeout=5) for _ in range(7)):
                    others_are_through.set()
                resting.release(7)
                return "rested"

        outcomes = in_parallel(ask, 8)

        self.assertEqual(sorted(outcomes), ["asked", *["rested"] * 7])

    def test_one_that_never_comes_back_holds_the_others_up_for_one_more_rest(self) -> None:
        self.ask(RedisDown())
        self.now += 1.0
        self.assertTrue(self.breaker.may_ask())

        self.assertEqual(self.ask(), "Resting")
        self.now += 1.0
        self.assertEqual(self.ask(), "answered")
