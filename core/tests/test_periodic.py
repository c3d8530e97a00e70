"""Periodic jobs: each once, however many look at the clock."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from datetime import timedelta
from io import StringIO
from threading import Semaphore
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core import periodic
from core.models import PeriodicRun
from core.tasks import GRACE_SECONDS, patience_of
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


class LeaseTests(JobCase):
    """A job runs nowhere while it runs somewhere: by the clock, where sessions hold no locks."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch("core.locks.held_if_free", return_value=nullcontext(None)))
        self.now = timezone.now()
        PeriodicRun.objects.create(name="count", due_at=self.now)
        self.enterContext(patch.dict(periodic.limits, count=60))

    def at(self, seconds: float) -> Any:
        return time_machine.travel(self.now + timedelta(seconds=seconds), tick=False)

    def hold(self) -> None:
        """Begin a run as a worker does that is killed in it."""
        with self.at(0), suppress(SystemExit), periodic.lease("count", 60):
            until = PeriodicRun.objects.get().running_until
            raise SystemExit
        PeriodicRun.objects.update(running_until=until)

    def test_what_runs_elsewhere_is_passed_over_and_told_of(self) -> None:
        self.hold()
        with self.at(89), self.assertLogs("core.periodic", "WARNING") as logs:
            periodic.run_job.enqueue(name="count")

        self.assertEqual((self.runs, len(logs.records)), (0, 1))
        self.assertEqual(logs.records[0].getMessage(), "periodic_job_skipped")

    def test_a_killed_workers_lease_runs_out_before_its_task_is_taken_up(self) -> None:
        self.hold()
        with self.at(90):
            periodic.run_job.enqueue(name="count")

        self.assertEqual(self.runs, 1)
        longest = timedelta(seconds=periodic.JOB_LIMIT_SECONDS + GRACE_SECONDS)
        self.assertLess(longest, patience_of("default"))

    def test_it_is_given_back_however_the_run_ended(self) -> None:
        def fail() -> dict[str, int]:
            raise ValueError

        for job in (self.count, fail):
            with self.subTest(job), patch.dict(periodic.jobs, {"count": (HOUR, job)}):
                periodic.run_job.enqueue(name="count")
                self.assertIsNone(PeriodicRun.objects.get().running_until)

    def test_one_whose_time_was_over_gives_nothing_back_that_is_anothers(self) -> None:
        with self.at(0), periodic.lease("count", 60):
            PeriodicRun.objects.update(running_until=self.now + HOUR)

        self.assertEqual(PeriodicRun.objects.get().running_until, self.now + HOUR)

    def test_a_job_is_stopped_at_its_own_limit(self) -> None:
        def oversleep() -> dict[str, int]:
            self.runs += 1
            time.sleep(5)
            return {}

        alone = {"count": (HOUR, oversleep)}
        with patch.dict(periodic.jobs, alone), patch.dict(periodic.limits, count=0.05):
            periodic.run_job.enqueue(name="count")

        self.assertEqual(self.runs, 5)
        self.assertEqual(PeriodicRun.objects.get().last_result, {})


class WaitingTests(JobCase):
    def test_while_no_worker_runs_one_run_waits_and_not_one_for_each_time(self) -> None:
        def wait(**kwargs: Any) -> None:
            DBTaskResult.objects.create(
                args_kwargs={"args": [], "kwargs": kwargs},
                task_path=periodic.run_job.module_path,
                run_after=timezone.now(),
            )

        now = timezone.now()
        with patch.object(type(periodic.run_job), "enqueue", side_effect=wait):
            for hours in range(5):
                with time_machine.travel(now + hours * HOUR, tick=False):
                    periodic.run_due_jobs()

        self.assertEqual(DBTaskResult.objects.count(), 1)
        self.assertGreater(PeriodicRun.objects.get().due_at, now + 4 * HOUR)

    def test_a_look_at_the_clock_costs_one_query_where_nothing_is_due(self) -> None:
        periodic.run_due_jobs()
        with self.assertNumQueries(1):
            periodic.run_due_jobs()


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

    def test_what_a_killed_worker_held_is_free_at_once(self) -> None:
        ran: list[int] = []

        def job() -> dict[str, int]:
            ran.append(1)
            return {}

        later = timezone.now() + HOUR
        PeriodicRun.objects.create(name="count", due_at=timezone.now(), running_until=later)
        with patch.dict(periodic.jobs, {"count": (HOUR, job)}, clear=True):
            periodic.run_job.call(name="count")

        self.assertEqual(ran, [1])

    def test_what_somebody_holds_is_theirs_until_no_run_takes_so_long(self) -> None:
        now = timezone.now()
        held = nullcontext(enter_result=False)
        with patch("core.locks.held_if_free", return_value=held):
            for until, is_ours in ((None, False), (now + HOUR, False), (now - HOUR, True)):
                PeriodicRun.objects.update_or_create(
                    name="count", defaults={"due_at": now, "running_until": until}
                )
                with self.subTest(until), periodic.lease("count", 60) as run:
                    self.assertEqual(run is not None, is_ours)

    def test_of_many_workers_one_runs_it_at_a_time(self) -> None:
        running, most = Semaphore(0), []

        def job() -> dict[str, int]:
            running.release()
            most.append(running._value)
            time.sleep(0.5)
            running.acquire()
            return {"done": 1}

        PeriodicRun.objects.create(name="count", due_at=timezone.now())
        with patch.dict(periodic.jobs, {"count": (HOUR, job)}, clear=True):
            results = in_parallel(lambda _: periodic.run_job.call(name="count"), 8)

        self.assertEqual((results, most), ([None] * 8, [1]))
        self.assertIsNone(PeriodicRun.objects.get().running_until)
