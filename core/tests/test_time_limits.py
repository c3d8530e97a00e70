"""Time limits: an alarm in the main thread, a line in the log elsewhere."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection, transaction
from django.test import SimpleTestCase, TransactionTestCase

from core.testing import in_parallel
from core.time_limits import TimeLimitExceeded, time_limit


def left() -> float:
    return signal.getitimer(signal.ITIMER_REAL)[0]


class TimeLimitTests(SimpleTestCase):
    def test_work_over_its_limit_is_stopped_and_told_of(self) -> None:
        began = time.monotonic()
        with (
            self.assertLogs("core.time_limits", "WARNING") as logs,
            self.assertRaises(TimeLimitExceeded),
            time_limit(0.05, name="sleep"),
        ):
            time.sleep(5)

        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual(vars(logs.records[0])["task"], "sleep")

    def test_whoever_catches_every_exception_does_not_catch_it(self) -> None:
        with self.assertRaises(TimeLimitExceeded), time_limit(0.05, name="sleep"):
            try:
                time.sleep(5)
            except Exception:  # noqa: BLE001 - what it is about
                time.sleep(5)

    def test_handler_and_timer_are_left_as_they_were(self) -> None:
        before = signal.getsignal(signal.SIGALRM)
        with time_limit(100, name="nothing"):
            self.assertGreater(left(), 99)

        self.assertEqual((signal.getsignal(signal.SIGALRM), left()), (before, 0))

    def test_a_limit_within_a_limit_is_the_nearer_of_both(self) -> None:
        with time_limit(100, name="outer"):
            with self.assertRaises(TimeLimitExceeded), time_limit(0.05, name="inner"):
                time.sleep(5)
            self.assertGreater(left(), 98)

        with self.assertRaises(TimeLimitExceeded), time_limit(0.05, name="outer"):  # noqa: SIM117 - two limits
            with time_limit(100, name="inner"):
                time.sleep(5)
        self.assertEqual(left(), 0)

    @patch("core.time_limits.AGAIN_SECONDS", 0.5)
    def test_an_outer_limit_that_passed_meanwhile_rings_until_it_is_heard(self) -> None:
        """Its first ring may strike where the inner one's is still being caught."""
        with self.assertRaises(TimeLimitExceeded), time_limit(0.05, name="outer"):
            with self.assertRaises(TimeLimitExceeded), time_limit(0.02, name="inner"):
                time.sleep(5)
            time.sleep(5)

    def test_in_a_thread_an_overrun_is_a_line_in_the_log(self) -> None:
        def work() -> str:
            with time_limit(0.01, name="nap"):
                time.sleep(0.05)
                return "done"

        with self.assertLogs("core.time_limits", "WARNING") as logs, ThreadPoolExecutor() as pool:
            self.assertEqual(pool.submit(work).result(), "done")

        self.assertEqual(vars(logs.records[0])["limit_seconds"], 0.01)


@skipUnless(connection.vendor == "postgresql", "A statement that takes its time needs PostgreSQL.")
class InTransactionTests(TransactionTestCase):
    def test_what_was_begun_is_undone_and_the_connection_can_be_used(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE marks (n int)")
        with self.assertRaises(TimeLimitExceeded), time_limit(0.2, name="write"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO marks VALUES (1)")
                cursor.execute("SELECT pg_sleep(0.5)")
            time.sleep(5)

        self.assertFalse(connection.in_atomic_block)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('marks')")
            self.assertEqual(cursor.fetchone(), (None,), "a connection of its own, without what was begun")

    def test_the_connection_is_given_up_wherever_the_alarm_strikes(self) -> None:
        """Even within the bookkeeping of a transaction: nothing of it is left in the next one."""
        for delay in range(1, 40):
            with self.subTest(delay):
                try:
                    with time_limit(delay / 4_000, name="loop"):
                        while True:
                            with transaction.atomic(), connection.cursor() as cursor:
                                cursor.execute("SELECT 1")
                except TimeLimitExceeded:
                    pass
                self.assertFalse(connection.in_atomic_block)
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SELECT 2")
                    self.assertEqual(cursor.fetchone(), (2,))

    def test_other_threads_keep_theirs(self) -> None:
        def call(number: int) -> int:
            with time_limit(0.01, name="select"), connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.05)")
                return number

        self.assertEqual(in_parallel(call, 3), [0, 1, 2])
