"""Health: fixed words, no detail, an answer within a second whatever hangs (B100)."""

from __future__ import annotations

import time
from threading import Event
from typing import Any
from unittest.mock import patch

from django.core.cache import cache
from django.db import connections
from django.test import TestCase
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisConnectionError

from core.health import parts
from core.health.backlog import standing
from core.health.stores import MOST_OVERDUE, stores
from core.watching.backlog import migrations

WELL = {
    "database": "connected",
    "redis": "connected",
    "storage": "connected",
    "mail": "not_probed",
    "tasks": "on_time",
    "migrations": "applied",
}
SECRET = "could not connect to server 10.0.0.7:5432, user btf_user"


def cache_that(effect: Any) -> Any:
    """Replace the cache as the probe sees it: caches are one object a thread."""
    return patch("core.health.stores.cache", **{"set.side_effect": effect})


def stores_of(response: Any) -> dict[str, str]:
    return {name: response.json()["services"][name] for name in ("database", "redis")}


class HealthTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        migrations.load()  # files: not in the time that a request has

    def setUp(self) -> None:
        for asked in (parts.storage, parts.mail, standing):
            asked.forget()
            self.addCleanup(asked.forget)

    def get(self) -> Any:
        return self.client.get(reverse("core:health_check"))

    def test_it_is_healthy_while_both_answer(self) -> None:
        response = self.get()

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.json()["status"], "healthy")
        self.assertEqual(response.json()["services"], WELL)
        self.assertEqual(set(response.json()), {"status", "services", "environment"})
        self.assertEqual(set(response.json()["environment"]), {"profile"})

    def test_a_database_that_is_down_is_503_in_fixed_words(self) -> None:
        """B100."""
        with patch("django.db.connection.cursor", side_effect=Exception(SECRET)):
            response = self.get()

        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.json()["status"], "unhealthy")
        self.assertEqual(stores_of(response), {"database": "error", "redis": "connected"})
        self.assertNotIn("10.0.0.7", response.content.decode())

    def test_a_cache_that_is_down_is_503_in_fixed_words(self) -> None:
        """B100."""
        with cache_that(RedisConnectionError(SECRET)):
            response = self.get()

        self.assertEqual(response.status_code, 503)
        self.assertEqual(stores_of(response), {"database": "connected", "redis": "error"})
        self.assertNotIn("10.0.0.7", response.content.decode())

    def test_a_cache_that_forgets_is_down(self) -> None:
        with patch("core.health.stores.cache") as cache_without_memory:
            cache_without_memory.get.return_value = None
            self.assertEqual(self.get().json()["services"]["redis"], "error")

    def test_the_log_tells_the_kind_and_not_the_words(self) -> None:
        with (
            self.assertLogs("core.health.stores", "WARNING") as logs,
            patch("django.db.connection.cursor", side_effect=ValueError(SECRET)),
        ):
            self.get()

        self.assertEqual(vars(logs.records[0])["store_error"], "ValueError")
        self.assertNotIn("10.0.0.7", str(vars(logs.records[0])))

    def test_it_leaves_nothing_in_the_cache(self) -> None:
        with patch("core.health.stores.cache", wraps=cache) as watched:
            self.get()

        key = watched.set.call_args.args[0]
        watched.delete.assert_called_once_with(key)
        self.assertIsNone(cache.get(key))

    def test_being_alive_touches_nothing(self) -> None:
        with (
            self.assertNumQueries(0),
            patch("django.db.connection.cursor", side_effect=Exception(SECRET)),
            cache_that(RedisConnectionError(SECRET)),
        ):
            response = self.client.get(reverse("core:health_live"))

        self.assertEqual((response.status_code, response.json()), (200, {"status": "alive"}))


class FrozenTests(TestCase):
    """A dependency that neither answers nor refuses, until it is let go."""

    def setUp(self) -> None:
        self.thaw = Event()
        connection = connections["default"]
        patience = patch("core.health.report.PATIENCE_SECONDS", 0.5)
        patience.start()
        self.addCleanup(connections.__setitem__, "default", connection)
        self.addCleanup(patience.stop)
        # The server is well, and the test's transaction lies on that connection.
        for end in ("cut", "leave"):
            self.enterContext(patch(f"core.watching.lending.Loan.{end}"))
        self.addCleanup(self.let_go)

    def let_go(self) -> None:
        """Wait until every stuck probe is through: it must not outlive its test."""
        self.thaw.set()
        for store in stores.values():
            for question in store.open:
                self.assertTrue(question.call.wait(5))
            store.forget()

    def hang(self, *args: Any, **kwargs: Any) -> None:
        self.thaw.wait(5)

    def timed(self) -> tuple[int, dict[str, str], bool]:
        started = time.monotonic()
        response = self.client.get(reverse("core:health_check"))
        return response.status_code, stores_of(response), time.monotonic() - started < 1

    def test_a_frozen_database_is_told_in_time_and_the_next_request_works(self) -> None:
        """SAFETY R2."""
        with patch.object(connections["default"], "cursor", side_effect=self.hang):
            stuck = connections["default"]
            self.assertEqual(self.timed(), (503, {"database": "error", "redis": "connected"}, True))

        self.assertIsNot(connections["default"], stuck)
        self.assertEqual(self.timed(), (200, {"database": "connected", "redis": "connected"}, True))

    def test_however_many_probes_a_database_holds_the_cache_is_told_right(self) -> None:
        with patch("core.health.stores.ask_database", side_effect=self.hang):
            answers = [self.timed() for _ in range(5)]

        self.assertEqual(answers, [(503, {"database": "error", "redis": "connected"}, True)] * 5)

    def test_a_frozen_cache_is_told_in_time_and_the_next_request_works(self) -> None:
        """SAFETY R2."""
        with cache_that(self.hang):
            self.assertEqual(self.timed(), (503, {"database": "connected", "redis": "error"}, True))

        self.assertEqual(self.timed(), (200, {"database": "connected", "redis": "connected"}, True))

    def test_more_frozen_probes_than_threads_still_answer_in_time(self) -> None:
        with cache_that(self.hang), patch("core.health.report.PATIENCE_SECONDS", 0.05):
            answers = [self.timed() for _ in range(6)]

        self.assertEqual({(status, in_time) for status, _, in_time in answers}, {(503, True)})

    def test_while_two_probes_of_a_cache_are_stuck_no_other_caller_waits(self) -> None:
        with cache_that(self.hang):
            stuck = [self.timed() for _ in range(MOST_OVERDUE)]
            with patch("core.health.report.PATIENCE_SECONDS", 3_600):
                answers = [self.timed() for _ in range(20)]

            self.assertEqual(stuck + answers, [(503, {"database": "connected", "redis": "error"}, True)] * 22)
            self.assertEqual(len(stores["redis"].open), MOST_OVERDUE)

        self.let_go()
        self.assertEqual(self.timed()[0], 200)
