"""Many ask for health at once, of a store that is slow, gone or stuck: they share its answers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import OperationalError, connection, connections
from django.test import SimpleTestCase, TransactionTestCase

from core.health.stores import FAULT_SECONDS, MOST_OVERDUE, MOST_STUCK, Store, ask_stores, stores
from core.watching.lending import Call, Loan

PATIENCE_SECONDS = 10
CALLERS = 6


class SharingTests(SimpleTestCase):
    """A store that answers when the test has it answer."""

    def setUp(self) -> None:
        self.asked, self.thaw = 0, Event()
        self.error: Exception | None = None
        self.store = Store(lambda: Call("health-test", self.ask))
        self.addCleanup(self.let_go)

    def let_go(self) -> None:
        self.thaw.set()
        for question in self.store.open:
            self.assertTrue(question.call.wait(PATIENCE_SECONDS))

    def ask(self) -> None:
        self.asked += 1
        self.thaw.wait(PATIENCE_SECONDS)
        if self.error is not None:
            raise self.error

    def fault(self, patience: float = PATIENCE_SECONDS) -> str | None:
        return self.store.fault(self.store.question(time.monotonic() + patience))

    def test_whoever_calls_while_it_is_asked_shares_the_answer(self) -> None:
        in_line = Barrier(CALLERS + 1)

        def call() -> str | None:
            question = self.store.question(time.monotonic() + PATIENCE_SECONDS)
            in_line.wait(PATIENCE_SECONDS)
            return self.store.fault(question)

        with ThreadPoolExecutor(CALLERS) as callers:
            faults = [callers.submit(call) for _ in range(CALLERS)]
            in_line.wait(PATIENCE_SECONDS)
            self.thaw.set()

        self.assertEqual([fault.result() for fault in faults], [None] * CALLERS)
        self.assertEqual(self.asked, 1)

    def test_no_answer_is_kept(self) -> None:
        self.thaw.set()

        self.assertEqual([self.fault() for _ in range(3)], [None] * 3)
        self.error = ConnectionError()
        self.assertEqual(self.fault(), "ConnectionError")
        self.error = None
        self.assertIsNone(self.fault())
        self.assertEqual(self.asked, 5)

    def test_whoever_calls_just_after_a_fault_does_not_wait_for_anothers_question(self) -> None:
        self.assertEqual(self.fault(patience=0), "TimeoutError")
        self.store.question(time.monotonic() + PATIENCE_SECONDS)

        self.assertIsNone(self.store.question(time.monotonic() + PATIENCE_SECONDS))
        self.store.failed_at -= FAULT_SECONDS
        self.assertIsNotNone(self.store.question(time.monotonic() + PATIENCE_SECONDS))
        self.assertEqual(self.asked, 2)

    def test_two_may_be_overdue_at_a_time_and_further_callers_are_told_at_once(self) -> None:
        faults = [self.fault(patience=0) for _ in range(MOST_OVERDUE)]
        faults += [self.fault(patience=3_600) for _ in range(3)]

        self.assertEqual(set(faults), {"TimeoutError"})
        self.assertEqual(self.asked, MOST_OVERDUE)

    def test_what_is_stuck_makes_room_for_new_questions_up_to_some_number(self) -> None:
        with patch("core.health.stores.LIMIT_SECONDS", -1):
            for _ in range(MOST_STUCK + 5):
                self.assertEqual(self.fault(patience=0), "TimeoutError")

        self.assertEqual(self.asked, MOST_STUCK)
        self.let_go()
        self.assertIsNone(self.fault())

    def test_once_it_answers_again_it_is_well_at_once(self) -> None:
        for _ in range(MOST_OVERDUE):
            self.fault(patience=0)

        self.let_go()

        self.assertIsNone(self.fault())


class ThreadsTests(TransactionTestCase):
    """Over a connection that no other test has lent."""

    def setUp(self) -> None:
        self.addCleanup(connections.__setitem__, "default", connections["default"])
        self.lent: Any = connections.create_connection("default")
        self.addCleanup(self.lent.close)
        connections["default"] = self.lent
        for store in stores.values():
            store.forget()
            self.addCleanup(store.forget)

    def ask(self) -> dict[str, bool]:
        return ask_stores(time.monotonic() + PATIENCE_SECONDS)

    def test_where_no_thread_can_be_had_that_is_a_fault_and_nothing_stays_behind(self) -> None:
        start = Thread.start

        def refuse(thread: Thread) -> None:
            if thread.name.startswith(refused):
                message = "can't start new thread"
                raise RuntimeError(message)
            start(thread)

        for name in ("database", "redis"):
            refused = f"health-{name}"
            with self.subTest(name), patch.object(Thread, "start", refuse):
                for _ in range(3):
                    self.assertEqual(self.ask(), {**dict.fromkeys(stores, True), name: False})
            self.assertEqual(self.ask(), dict.fromkeys(stores, True))
            self.assertIs(connections["default"], self.lent)
            self.assertFalse(self.lent.allow_thread_sharing)

    @skipUnless(connection.vendor == "postgresql", "SQLite lies in this process.")
    def test_a_postgresql_that_does_not_answer_is_hung_up_and_its_thread_is_free(self) -> None:
        def sleep() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(3)")

        self.lent.ensure_connection()
        loan = Loan("health-test", sleep)

        self.assertFalse(loan.settle(0.2))

        self.assertTrue(loan.wait(2))
        self.assertIsInstance(loan.answer.exception(), OperationalError)
        self.assertEqual(self.ask(), dict.fromkeys(stores, True))
        self.assertIsNot(connections["default"], self.lent)
        connections["default"].close()

    @skipUnless(connection.vendor == "postgresql", "SQLite lies in this process.")
    @patch("core.store_testing.MOST_KEPT", 0)
    def test_a_connection_that_comes_after_its_caller_has_gone_does_not_stay(self) -> None:
        """Nor a session at PostgreSQL for each call, where connecting takes longer than a call."""
        thaw, sessions = Event(), []

        def connect_late() -> None:
            thaw.wait(PATIENCE_SECONDS)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                sessions.append(cursor.fetchone()[0])

        loan = Loan("health-test", connect_late)
        self.assertFalse(loan.settle(0))
        self.assertIsNone(self.lent.connection)
        thaw.set()
        self.assertTrue(loan.wait(PATIENCE_SECONDS))

        self.assertIsNone(loan.answer.exception())
        self.assertIsNone(self.lent.connection)
        self.assertTrue(self.is_gone(sessions[0]))

    def is_gone(self, session: int) -> bool:
        """Tell whether PostgreSQL has ended a session, within some patience."""
        until = time.monotonic() + PATIENCE_SECONDS
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [session])
                if cursor.fetchone() == (0,):
                    break
                time.sleep(0.05)
        connections["default"].close()
        return time.monotonic() < until

    def test_a_connection_that_is_given_back_in_time_stays_open(self) -> None:
        self.lent.ensure_connection()
        loan = Loan("health-test", lambda: None)

        self.assertTrue(loan.settle(PATIENCE_SECONDS))

        self.assertIsNotNone(self.lent.connection)

    def test_no_thread_outlives_its_question(self) -> None:
        for _ in range(3):
            self.ask()

        for thread in threading.enumerate():
            if thread.name.startswith("health-"):
                thread.join(PATIENCE_SECONDS)
                self.assertFalse(thread.is_alive(), thread.name)
