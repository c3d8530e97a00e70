"""The test runner of the house, and what tests of several apps share."""

from __future__ import annotations

import gc
import logging.config
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from django.template.response import SimpleTemplateResponse
from django.test import Client, TestCase
from django.test import runner as django_runner
from django.test.testcases import is_pickable  # type: ignore[attr-defined]
from django_redis.cache import RedisCache

from core.browser_testing import BrowserSuite, BrowserTestCase
from core.store_testing import (
    REDIS_DATABASES,
    empty_tables_quickly,
    keep_sessions,
    let_tests_empty_tables,
    use_redis_database,
)

if TYPE_CHECKING:
    import unittest
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from django.db.models import Model


# Between two looks for cycles; Python's 700 costs a tenth of the suite's time.
OBJECTS_UNLOOKED_AT = 50_000
LAST_WAIT = 0.8  # of the way through the suite
no_badge = patch("btf_backend.console.queue.waiting", return_value=0)


def init_worker(counter: Any, *args: Any, **kwargs: Any) -> None:
    """Give each parallel process its database (Django does) and its Redis database."""
    django_runner._init_worker(counter, *args, **kwargs)  # type: ignore[attr-defined]  # noqa: SLF001
    keep_sessions()
    let_tests_empty_tables()
    look_for_cycles_seldom()
    use_redis_database(1 + django_runner._worker_id % (REDIS_DATABASES - 1))  # type: ignore[attr-defined]  # noqa: SLF001


def look_for_cycles_seldom() -> None:
    """Look for garbage seldom: what was imported lives as long as the process, and a test leaves little."""
    gc.freeze()
    gc.set_threshold(OBJECTS_UNLOOKED_AT)


class TravellingResult(django_runner.RemoteTestResult):
    """What a parallel process reports. A failed subtest is sent with its test.

    A client that has made a request cannot be sent, and would hide the failure behind an error of its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Django tells pickle of every class of exceptions for each suite: the first failure is soon enough.
        with patch("tblib.pickling_support.install"):
            super().__init__(*args, **kwargs)

    def check_picklable(self, test: Any, err: Any) -> None:
        from tblib import pickling_support

        pickling_support.install()
        super().check_picklable(test, err)

    def startTest(self, test: Any) -> None:  # noqa: N802 - unittest's name
        # SQLite gives the ids of a rolled-back test to the next one: whose budgets must not be used up.
        caches["default"].clear()
        super().startTest(test)

    def stopTest(self, test: Any) -> None:  # noqa: N802 - unittest's name
        super().stopTest(test)
        if any(event[0] == "addSubTest" for event in self.events):
            for name in [name for name, value in vars(test).items() if not is_pickable(value)]:
                delattr(test, name)


class TravellingRunner(django_runner.RemoteTestRunner):
    """Runs tests in a parallel process."""

    resultclass = TravellingResult


class HouseParallelSuite(django_runner.ParallelTestSuite):
    """Processes that share no store.

    Chromium comes first; then what waits, for locks, for sockets and for other processes, by turns with what
    only computes: while one process waits, the others have the cores. The last to come only compute, and are
    short: none is left with much when the others have ended.
    """

    init_worker = init_worker
    runner_class = TravellingRunner

    def __init__(self, subsuites: list[unittest.TestSuite], *args: Any, **kwargs: Any) -> None:
        kinds: dict[type, list[unittest.TestSuite]] = {BrowserTestCase: [], TestCase: [], object: []}
        for suite in sorted(subsuites, key=lambda suite: -suite.countTestCases()):
            kinds[next(kind for kind in kinds if issubclass(case_of(suite), kind))].append(suite)
        of_browsers, computing, waiting = kinds.values()
        in_one = [BrowserSuite(test for suite in of_browsers for test in suite)] if of_browsers else []
        super().__init__([*in_one, *by_turns(waiting, computing)], *args, **kwargs)


def by_turns(waiting: list[Any], computing: list[Any]) -> list[Any]:
    """Return both, each in its own order and evenly mixed; none of those that wait is among the last."""
    places = [(LAST_WAIT * n / len(waiting), suite) for n, suite in enumerate(waiting)]
    places += [(n / len(computing), suite) for n, suite in enumerate(computing)]
    return [suite for _, suite in sorted(places, key=itemgetter(0))]


def case_of(suite: unittest.TestSuite) -> type[unittest.TestCase]:
    """Return the class that the tests of a suite are of."""
    return type(next(iter(suite)))  # type: ignore[return-value]


class HouseRunner(django_runner.DiscoverRunner):
    """Django's runner; closes with ``N passed, N failed, N skipped``."""

    parallel_test_suite = HouseParallelSuite

    def suite_result(self, suite: unittest.TestSuite, result: Any, **kwargs: Any) -> int:
        # A test that fails in several subtests is one test.
        broken = {getattr(test, "test_case", test).id() for test, _ in [*result.failures, *result.errors]}
        failed = len(broken) + len(result.unexpectedSuccesses)
        skipped = len(result.skipped)
        passed = max(0, result.testsRun - failed - skipped)
        self.totals = f"{passed} passed, {failed} failed, {skipped} skipped"
        return super().suite_result(suite, result, **kwargs)

    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        look_for_cycles_seldom()  # also where migrations make models, by the thousand
        # In the settings and not on the handlers: the ASGI entry point configures logging anew.
        settings.LOGGING["handlers"]["console"]["level"] = "CRITICAL"
        logging.config.dictConfig(settings.LOGGING)
        # Slow on purpose, and as slow in a thousand tests.
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        # What one test has met is nothing to the next.
        settings.STORE_REST_SECONDS = settings.UNFOLD["BADGE_SECONDS"] = 0
        no_badge.start()
        # Other threads would have connections of their own, outside a test's transaction.
        settings.SOCKET_DB_THREADS = 0
        from core.contract_testing import hold_answers

        hold_answers()
        empty_tables_quickly()

    def setup_databases(self, **kwargs: Any) -> Any:
        databases = super().setup_databases(**kwargs)
        if databases:
            let_tests_empty_tables()
        return databases

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        self.totals = "0 passed, 1 failed, 0 skipped"
        try:
            return super().run_tests(test_labels, **kwargs)
        finally:
            print(self.totals, flush=True)  # noqa: T201 - the runner's closing line


@contextmanager
def badge_counted() -> Iterator[None]:
    """Count what waits beside "Dashboard" on every page of the admin site, as production does twice a minute.

    Other tests leave it out: it is a third of what such a page costs.
    """
    no_badge.stop()
    caches["local"].clear()
    try:
        yield
    finally:
        caches["local"].clear()
        no_badge.start()


def undrawn() -> AbstractContextManager[Any]:
    """Leave pages of the admin site undrawn meanwhile, which is most of what they cost."""
    return patch.object(SimpleTemplateResponse, "rendered_content", "")


def context_of(client: Client, url: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a page of the admin site is about, without drawing it."""
    with undrawn():
        page: Any = client.get(url, query)
    context: dict[str, Any] = page.context_data
    return context


def on_redis() -> bool:
    """Tell whether the suite runs on a real Redis."""
    return isinstance(caches["default"], RedisCache)


def count_rows_anew(*models: type[Model]) -> None:
    """Let PostgreSQL plan with what these tables hold now, as it does in production after a while.

    Every test that reads a plan calls it: ANALYZE writes what no rollback takes back, so whatever ran before
    decides the plans of a table that nobody counted since. For the same reason never of the whole database.
    """
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')  # noqa: SLF001 - documented API


def plan_of(query: str, *, run: bool = False, without: tuple[str, ...] = ()) -> str:
    """Return how PostgreSQL answers a query; ``run`` says what it met, ``without`` forbids kinds of scans."""
    with connection.cursor() as cursor:
        for kind in without:
            cursor.execute(f"SET LOCAL enable_{kind} = off")
        cursor.execute(f"EXPLAIN {'(ANALYZE, BUFFERS) ' if run else ''}{query}")
        return "\n".join(line for (line,) in cursor.fetchall())


def without_counts(plan: str) -> str:
    """Leave out of a plan what is worked out beforehand: how many rows there are, which may read them all."""
    kept, below = [], None
    for line in plan.splitlines():
        depth = len(line) - len(line.lstrip())
        if below is None or depth <= below:
            below = depth if line.lstrip().startswith("InitPlan") else None
        if below is None:
            kept.append(line)
    return "\n".join(kept)


@contextmanager
def undone() -> Iterator[None]:
    """Undo whatever is written meanwhile. As the transaction of a test does, it lets durable blocks in."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001 - as TestCase does
    with block:
        yield
        transaction.set_rollback(True)


@contextmanager
def before_statement(beginning: str, call: Callable[[], object]) -> Iterator[None]:
    """Call something before each statement of this thread's connection that begins so: one, at least."""
    begun = []

    def run(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith(beginning):
            begun.append(sql)
            call()
        return execute(sql, *args)

    with connection.execute_wrapper(run):
        yield
    if not begun:
        raise AssertionError(f"No statement began with {beginning}")


def in_parallel(call: Callable[[int], Any], count: int) -> list[Any]:
    """Call ``call(0..count-1)`` in as many threads, started together; each closes its connections.

    Returns the results in order; an exception is a result, so that a test can count both.
    """
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from django.db import connections

    barrier = Barrier(count)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return call(number)
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(one, range(count)))
