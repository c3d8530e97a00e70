"""The runner's closing line counts tests, whatever happens inside them."""

from __future__ import annotations

import pickle
import unittest
from itertools import groupby
from select import select
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from rest_framework.test import APIClient

from core import audit
from core.browser_testing import BrowserSuite, BrowserTestCase
from core.store_testing import KEPT, LEAVE_TRIGGERS, empty_tables, is_emptied, is_quiet
from core.testing import HouseParallelSuite, HouseRunner, TravellingRunner, before_statement, in_parallel
from groups.tests.factories import make_group
from users.tests.factories import make_user

ALL_KEPT = KEPT | {"django_migrations", "sqlite_sequence"}
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


class Sample(unittest.TestCase):
    """Not found by discovery: only its instances below are run."""

    def passes(self) -> None:
        pass

    def fails(self) -> None:
        self.fail()

    def raises(self) -> None:
        raise RuntimeError

    def skips(self) -> None:
        self.skipTest("why")

    def fails_in_two_subtests(self) -> None:
        for number in range(5):
            with self.subTest(number):
                self.assertLess(number, 3)


class TotalsTests(SimpleTestCase):
    def totals(self, *names: str) -> str:
        suite, runner = unittest.TestSuite(Sample(name) for name in names), HouseRunner()
        runner.suite_result(suite, suite.run(unittest.TestResult()))
        return runner.totals

    def test_each_test_counts_once(self) -> None:
        cases = {
            ("passes", "passes"): "2 passed, 0 failed, 0 skipped",
            ("passes", "fails", "raises"): "1 passed, 2 failed, 0 skipped",
            ("passes", "skips"): "1 passed, 0 failed, 1 skipped",
            ("passes", "fails_in_two_subtests"): "1 passed, 1 failed, 0 skipped",
        }
        for names, expected in cases.items():
            with self.subTest(names):
                self.assertEqual(self.totals(*names), expected)


class SampleWithClient(SimpleTestCase):
    """Not found by discovery either."""

    def fails_after_a_request(self) -> None:
        self.api = APIClient()
        with self.subTest("why"):
            self.assertEqual(self.api.get("/api/health/live/").status_code, 500)


class SampleThatCommits(TransactionTestCase):
    """Nor is this one, nor those below."""

    def one(self) -> None:
        pass

    two = one


class LongerSample(SampleThatCommits):
    pass


class SampleRolledBack(TestCase):
    def one(self) -> None:
        pass


class OtherRolledBack(SampleRolledBack):
    pass


class SampleInChromium(BrowserTestCase):
    def one(self) -> None:
        pass


class OtherInChromium(SampleInChromium):
    pass


class OrderTests(SimpleTestCase):
    def order(self, *tests: unittest.TestCase) -> list[list[str]]:
        suites = [unittest.TestSuite(same) for _, same in groupby(tests, type)]
        ordered = HouseParallelSuite(suites, 2).subsuites
        return [[type(test).__name__ for test in suite] for suite in ordered]

    def test_all_tests_in_chromium_are_one_suite_and_begin(self) -> None:
        tests = (Sample("passes"), SampleInChromium("one"), SampleThatCommits("one"), OtherInChromium("one"))

        first, *others = self.order(*tests)

        self.assertEqual(first, ["SampleInChromium", "OtherInChromium"])
        self.assertCountEqual(others, [["Sample"], ["SampleThatCommits"]])

    def test_what_waits_and_what_computes_come_by_turns_and_the_longest_begins(self) -> None:
        longer = LongerSample("one"), LongerSample("two")
        rolled_back = SampleRolledBack("one"), OtherRolledBack("one")

        self.assertEqual(
            self.order(*rolled_back, SampleThatCommits("one"), *longer),
            [
                ["LongerSample", "LongerSample"],
                ["SampleRolledBack"],
                ["SampleThatCommits"],
                ["OtherRolledBack"],
            ],
        )

    def test_there_may_be_nothing_of_a_kind(self) -> None:
        self.assertEqual(self.order(), [])
        self.assertEqual(self.order(SampleRolledBack("one")), [["SampleRolledBack"]])

    def test_the_suite_in_chromium_can_be_sent_to_another_process(self) -> None:
        suite = BrowserSuite([SampleInChromium("one")])

        self.assertIsInstance(pickle.loads(pickle.dumps(suite)), BrowserSuite)  # noqa: S301 - our own


class ParallelTests(SimpleTestCase):
    def test_a_failed_subtest_can_be_sent_to_another_process(self) -> None:
        result = TravellingRunner(failfast=False, buffer=False).run(SampleWithClient("fails_after_a_request"))
        sent = pickle.loads(pickle.dumps(result.events))  # noqa: S301 - our own

        names = [event[0] for event in sent if event[0] != "addDuration"]  # Python 3.12 and newer send it too
        self.assertEqual(names, ["startTest", "addSubTest", "stopTest"])
        self.assertIn("200 != 500", str(sent[1][3][1]))

    def test_results_come_in_order_and_an_exception_is_one(self) -> None:
        def call(number: int) -> int:
            if number == 1:
                raise RuntimeError
            return number * 10

        results = in_parallel(call, 3)

        self.assertEqual((results[0], results[2]), (0, 20))
        self.assertIsInstance(results[1], RuntimeError)


class StatementTests(TestCase):
    def run_and_count(self, *statements: str) -> int:
        called: list[None] = []
        with before_statement("SELECT 1", lambda: called.append(None)), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return len(called)

    def test_each_one_that_begins_so_is_one_call(self) -> None:
        self.assertEqual(self.run_and_count("SELECT 1", "SELECT 2", "SELECT 1 + 1"), 2)

    def test_where_none_begins_so_the_test_would_be_about_nothing(self) -> None:
        with self.assertRaisesMessage(AssertionError, "No statement began with SELECT 1"):
            self.run_and_count("SELECT 2")


class EmptyingTests(TransactionTestCase):
    def ask(self, sql: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def tables_with_rows(self) -> list[str]:
        names = set(connection.introspection.table_names()) - ALL_KEPT
        return [name for name in names if self.ask(f'SELECT 1 FROM "{name}" LIMIT 1')]  # noqa: S608 - ours

    def test_nothing_is_left_of_a_test_that_commits_whoever_empties(self) -> None:
        for who, words in {"a superuser": LEAVE_TRIGGERS, "somebody else": "SELECT 1 WHERE false"}.items():
            with self.subTest(who), patch("core.store_testing.LEAVE_TRIGGERS", words):
                make_group(members=[make_user()])
                audit.record("signed_in")
                self.assertTrue({"users", "groups_group", "core_auditevent"} <= {*self.tables_with_rows()})

                empty_tables(connection)

                self.assertEqual(self.tables_with_rows(), [])
        if connection.vendor == "postgresql":
            self.assertEqual(self.ask("SHOW session_replication_role"), [("origin",)])


@unittest.skipUnless(connection.vendor == "postgresql", "SQLite has no sessions.")
class SessionTests(TransactionTestCase):
    """What one test closes is lent to the next: nothing of it may be left, and it must be alive."""

    def setUp(self) -> None:
        self.session = connection.get_new_connection(connection.get_connection_params())
        self.addCleanup(self.session.close)

    def ask(self, sql: str) -> Any:
        with self.session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None

    def test_nothing_is_left_of_what_it_held(self) -> None:
        self.session.autocommit = True
        before = self.ask("SHOW lock_timeout")
        for held in ("SET lock_timeout = 1", "PREPARE one AS SELECT 1", "SELECT pg_advisory_lock(1)"):
            self.ask(held)

        self.assertTrue(is_emptied(self.session))

        self.assertEqual(self.ask("SHOW lock_timeout"), before)
        self.assertEqual(self.ask("SELECT count(*) FROM pg_prepared_statements"), 0)
        self.assertEqual(self.ask(LOCKS), 0)

    def test_one_that_is_within_a_transaction_is_not_lent(self) -> None:
        self.session.autocommit = False
        self.ask("SELECT 1")

        self.assertFalse(is_emptied(self.session))

    def test_one_that_postgresql_has_ended_is_not_lent(self) -> None:
        self.assertTrue(is_quiet(self.session))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [self.session.info.backend_pid])
        select([self.session], [], [], 5)

        self.assertFalse(is_quiet(self.session))
        self.assertFalse(is_emptied(self.session))
