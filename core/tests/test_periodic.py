"""Periodic jobs: each once, however many look at the clock."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from core import periodic
from core.models import PeriodicRun
from core.testing import in_parallel

HOUR = timedelta(hours=1)


class JobCase(TestCase):
    def setUp(self) -> None:
        self.runs = 0
        only = patch.dict(periodic.jobs, {"count": (HOUR, self.count)}, clear=True)
        only.start()
        self.addCleanup(only.stop)

    def count(self) -> dict[str, int]:
        self.runs += 1
        return {"done": self.runs}


class PeriodicTests(JobCase):
    def test_two_callers_at_once_run_it_once(self) -> None:
        self.assertEqual(periodic.run_due_jobs(), ["count"])
        self.assertEqual(periodic.run_due_jobs(), [])
        self.assertEqual(self.runs, 1)

    def test_it_comes_round_when_its_time_has_come(self) -> None:
        now = timezone.now()
        for minutes, runs in ((0, 1), (59, 1), (60, 2), (61, 2)):
            with self.subTest(minutes), time_machine.travel(now + timedelta(minutes=minutes), tick=False):
                periodic.run_due_jobs()
                self.assertEqual(self.runs, runs)

    def test_after_an_outage_it_runs_once(self) -> None:
        periodic.run_due_jobs()
        with time_machine.travel(timezone.now() + timedelta(days=10), tick=False):
            periodic.run_due_jobs()
            periodic.run_due_jobs()

        self.assertEqual(self.runs, 2)

    def test_what_it_did_is_kept(self) -> None:
        periodic.run_due_jobs()

        self.assertEqual(PeriodicRun.objects.get().last_result, {"done": 1})

    def test_the_command_says_what_was_started(self) -> None:
        out = StringIO()
        call_command("run_due_jobs", stdout=out)

        self.assertEqual(out.getvalue(), "count: started\n")

    def test_one_that_fails_is_tried_again_and_holds_up_no_other(self) -> None:
        failures = iter([ValueError, OSError])

        def fail() -> dict[str, int]:
            for failure in failures:
                raise failure
            return {"done": 3}

        with patch.dict(periodic.jobs, {"another": (HOUR, fail), "count": (HOUR, self.count)}, clear=True):
            self.assertEqual(periodic.run_due_jobs(), ["another", "count"])

        self.assertEqual(self.runs, 1)
        self.assertEqual(PeriodicRun.objects.get(name="another").last_result, {"done": 3})

    def test_the_decorator_registers(self) -> None:
        def job() -> dict[str, int]:
            return {}

        self.assertIs(periodic.periodic("other", every=HOUR)(job), job)
        self.assertEqual(periodic.jobs["other"], (HOUR, job))


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    def test_of_many_machines_one_runs_it(self) -> None:
        def job() -> dict[str, int]:
            return {"done": 1}

        def machine(number: int) -> Any:
            return periodic.run_due_jobs()

        with patch.dict(periodic.jobs, {"count": (HOUR, job)}, clear=True):
            results = in_parallel(machine, 8)

        self.assertEqual(sorted(results, key=len), [[]] * 7 + [["count"]])
