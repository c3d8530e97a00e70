"""Background work: tried again with growing patience, then given up for all to see."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event, current_thread
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core.management import call_command
from django.db import connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.models import DeadLetter
from core.tasks import (
    Abandoned,
    InProcessBackend,
    background,
    delay_seconds,
    enqueue,
    enqueue_on_commit,
    is_last,
    longest_limits,
    patience_of,
)

REAL_MAIL = "django.core.mail.backends.dummy.EmailBackend"
HERE = "core.tests.test_tasks"
calls: list[dict[str, Any]] = []
gate = Event()


@background(attempts=3)
def succeed(**kwargs: Any) -> None:
    calls.append(kwargs)


@background(attempts=3)
def fail(**kwargs: Any) -> None:
    calls.append(kwargs)
    raise RuntimeError


@background(attempts=3)
def fail_once(**kwargs: Any) -> None:
    calls.append(kwargs)
    if len(calls) == 1:
        raise RuntimeError


@background(attempts=3)
def abandon(**kwargs: Any) -> None:
    calls.append(kwargs)
    raise Abandoned


@background(attempts=1)
def tell_a_secret(**kwargs: Any) -> None:
    raise RuntimeError(kwargs["address"])


@background(attempts=None)
def insist(**kwargs: Any) -> None:
    calls.append(kwargs)
    raise RuntimeError


@background(attempts=1, limit_seconds=1)
def oversleep(**kwargs: Any) -> None:
    calls.append(kwargs)
    time.sleep(5)


@background()
def pass_gate(**kwargs: Any) -> None:
    gate.wait(5)
    calls.append({"thread": current_thread().name})


class TaskCase(SimpleTestCase):
    def setUp(self) -> None:
        calls.clear()


class RetryTests(TaskCase):
    """With locmem mail, as in every test run, a task runs where it is enqueued."""

    def test_it_gets_what_it_was_given(self) -> None:
        enqueue(f"{HERE}.succeed", user_id=5, device="Firefox")

        self.assertEqual(calls, [{"user_id": 5, "device": "Firefox"}])

    def test_a_failure_is_tried_again_until_the_attempts_are_used_up(self) -> None:
        fail.enqueue(user_id=5)

        self.assertEqual(calls, [{"user_id": 5}] * 3)

    def test_one_success_is_enough(self) -> None:
        result = fail_once.enqueue()

        self.assertEqual((len(calls), result.status), (2, TaskResultStatus.SUCCESSFUL))

    def test_what_is_abandoned_is_not_tried_again(self) -> None:
        result = abandon.enqueue()

        self.assertEqual((len(calls), result.status), (1, TaskResultStatus.FAILED))

    def test_each_failure_is_a_log_line_without_the_arguments(self) -> None:
        with self.assertLogs("core.tasks", "WARNING") as logs:
            fail.enqueue(address="lovelace@example.org")

        self.assertEqual([vars(record)["attempt"] for record in logs.records], [1, 2, 3])
        self.assertNotIn("lovelace", str([vars(record) for record in logs.records]))

    def test_the_dead_letter_says_where_it_failed_and_not_about_whom(self) -> None:
        result = tell_a_secret.enqueue(address="lovelace@example.org")
        told = result.errors[0].traceback

        self.assertEqual(result.status, TaskResultStatus.FAILED)
        self.assertIn("tell_a_secret", told)
        self.assertNotIn("lovelace", told)

    def test_the_wait_doubles_up_to_a_quarter_of_an_hour(self) -> None:
        with patch("core.tasks.random.random", return_value=0):
            waits = [delay_seconds(attempt) for attempt in (1, 2, 3, 8, 9, 10, 50)]
        with patch("core.tasks.random.random", return_value=1):
            longest = delay_seconds(1)

        self.assertEqual(waits, [2, 4, 8, 256, 512, 900, 900])
        self.assertEqual(longest, 3)

    def test_a_task_may_be_less_patient(self) -> None:
        with patch("core.tasks.random.random", return_value=0):
            self.assertEqual([delay_seconds(attempt, 20) for attempt in (4, 5, 5_000)], [16, 20, 20])

    def test_one_that_never_gives_up_ends_where_no_time_passes(self) -> None:
        insist.enqueue()

        self.assertEqual(len(calls), 8)
        with override_settings(EMAIL_BACKEND=REAL_MAIL):
            self.assertFalse(is_last(5_000, None))

    def test_one_over_its_limit_is_stopped_and_has_failed(self) -> None:
        with self.assertLogs("core.tasks", "WARNING") as logs:
            result = oversleep.enqueue()

        self.assertEqual((len(calls), result.status), (1, TaskResultStatus.FAILED))
        self.assertEqual(vars(logs.records[0])["fault"], "TimeLimitExceeded")
        self.assertIn("time.sleep(5)", result.errors[0].traceback)

    def test_a_queue_is_as_patient_as_its_slowest_task_needs(self) -> None:
        """SAFETY R6: what still runs is not taken for lost."""
        with patch.dict(longest_limits, clear=True):
            for limit in (100, 40):
                background(queue="mail", limit_seconds=limit)

            self.assertEqual(patience_of("mail").total_seconds(), 160)
            self.assertEqual(patience_of("another").total_seconds(), 360)


@override_settings(EMAIL_BACKEND=REAL_MAIL)
class InProcessTests(TestCase):
    """The embedded profile's queue: threads of the server, once the data is committed."""

    def setUp(self) -> None:
        calls.clear()
        self.backend = InProcessBackend("default", {"QUEUES": ["default"]})

    def calls_after(self, count: int) -> list[dict[str, Any]]:
        """Wait until there are so many calls, at most 5 seconds."""
        deadline = time.monotonic() + 5
        while len(calls) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return calls

    def test_a_request_does_not_wait_for_its_task(self) -> None:
        gate.clear()
        with self.captureOnCommitCallbacks(execute=True):
            self.backend.enqueue(pass_gate, [], {})
        self.assertEqual(calls, [])

        gate.set()
        self.assertRegex(self.calls_after(1)[0]["thread"], "^task-default_")

    def test_a_full_queue_does_not_hold_up_another(self) -> None:
        gate.clear()
        self.addCleanup(gate.set)
        backend = InProcessBackend("default", {"QUEUES": ["default", "mail"]})
        with self.captureOnCommitCallbacks(execute=True):
            for _ in range(4):
                backend.enqueue(pass_gate, [], {})
            backend.enqueue(succeed.using(queue_name="mail"), [], {"n": 1})

        self.assertEqual(self.calls_after(1), [{"n": 1}])
        gate.set()
        self.calls_after(5)

    def test_a_task_for_later_runs_later(self) -> None:
        later = succeed.using(run_after=timezone.now() + timedelta(seconds=0.2))
        with self.captureOnCommitCallbacks(execute=True):
            self.backend.enqueue(later, [], {"n": 1})
        self.assertEqual(calls, [])

        self.assertEqual(self.calls_after(1), [{"n": 1}])

    def test_a_transaction_that_is_rolled_back_starts_nothing(self) -> None:
        committed = self.captureOnCommitCallbacks(execute=True)
        with committed as callbacks, self.assertRaises(RuntimeError), transaction.atomic():
            self.backend.enqueue(succeed, [], {})
            raise RuntimeError

        self.assertEqual((callbacks, calls), ([], []))


class OnCommitTests(TestCase):
    def setUp(self) -> None:
        calls.clear()

    def test_it_waits_for_the_commit(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            enqueue_on_commit(f"{HERE}.succeed", n=1)
            self.assertEqual(calls, [])

        self.assertEqual(calls, [{"n": 1}])

    def test_a_transaction_that_is_rolled_back_enqueues_nothing(self) -> None:
        committed = self.captureOnCommitCallbacks(execute=True)
        with committed, self.assertRaises(RuntimeError), transaction.atomic():
            enqueue_on_commit(f"{HERE}.succeed", n=1)
            raise RuntimeError

        self.assertEqual(calls, [])


@override_settings(EMAIL_BACKEND=REAL_MAIL, TASKS={"default": {"BACKEND": "core.tasks.InProcessBackend"}})
class OnCommitInProcessTests(TransactionTestCase):
    """Embedded: a thread takes up what is committed, and nothing else."""

    def test_a_transaction_that_is_rolled_back_starts_nothing_and_leaves_no_row(self) -> None:
        with patch.object(InProcessBackend, "start") as start:
            with self.assertRaises(RuntimeError), transaction.atomic():
                enqueue_on_commit(f"{HERE}.succeed", n=1)
                raise RuntimeError
            start.assert_not_called()

            with transaction.atomic():
                enqueue_on_commit(f"{HERE}.succeed", n=1)
                start.assert_not_called()

        self.assertEqual(start.call_args.args[1].kwargs, {"n": 1})
        self.assertFalse(DBTaskResult.objects.exists())


@skipUnless(connection.vendor == "postgresql", "The queue of rows is the production profile's.")
@override_settings(EMAIL_BACKEND=REAL_MAIL)
class QueueTests(TransactionTestCase):
    """The real worker on the real table."""

    def setUp(self) -> None:
        calls.clear()

    def work(self) -> None:
        with patch("django_tasks_db.management.commands.db_worker.Worker.configure_signals"):
            call_command(
                "db_worker", batch=True, startup_delay=False, queue_name="*", interval=0, verbosity=0
            )

    def test_a_worker_that_is_ended_at_once_leaves_its_task_to_another(self) -> None:
        """At the second SIGTERM the library exits in the middle of the task."""
        with patch(f"{HERE}.calls") as told:
            told.append.side_effect = SystemExit
            succeed.enqueue(user_id=5)
            self.work_once()
        self.assertEqual(sorted(self.statuses()), ["FAILED", "READY"])
        self.assertEqual(DeadLetter.objects.count(), 0)

        self.work()
        self.assertEqual(calls, [{"user_id": 5}])

    def work_once(self) -> None:
        with patch("django_tasks_db.management.commands.db_worker.Worker.configure_signals"):
            call_command(
                *("db_worker", "--max-tasks", "1", "--no-startup-delay"),
                *("--queue-name", "*", "--interval", "0", "--verbosity", "0"),
            )

    def make_due(self) -> None:
        DBTaskResult.objects.update(run_after=timezone.now() - timedelta(seconds=1))

    def statuses(self) -> list[str]:
        return [str(row.status) for row in DBTaskResult.objects.order_by("enqueued_at")]

    def test_enqueueing_writes_a_row_with_the_arguments_and_runs_nothing(self) -> None:
        succeed.enqueue(user_id=5)

        row = DBTaskResult.objects.get()
        self.assertEqual(row.args_kwargs, {"args": [], "kwargs": {"user_id": 5}})
        self.assertEqual((row.status, calls), (TaskResultStatus.READY, []))

    def test_the_worker_runs_it(self) -> None:
        succeed.enqueue(user_id=5)
        self.work()

        self.assertEqual((self.statuses(), calls), (["SUCCESSFUL"], [{"user_id": 5}]))

    def test_a_row_goes_with_the_transaction_that_wrote_it(self) -> None:
        with self.assertRaises(RuntimeError), transaction.atomic():
            succeed.enqueue(user_id=5)
            raise RuntimeError

        self.assertFalse(DBTaskResult.objects.exists())

    def test_task_and_data_are_committed_together_or_not_at_all(self) -> None:
        with self.assertRaises(RuntimeError), transaction.atomic():
            enqueue_on_commit(f"{HERE}.succeed", user_id=5)
            raise RuntimeError
        self.assertEqual(self.statuses(), [])

        with transaction.atomic():
            enqueue_on_commit(f"{HERE}.succeed", user_id=5)
            self.assertEqual(self.statuses(), ["READY"])
        self.assertEqual(self.statuses(), ["READY"])

    def test_a_worker_whose_task_was_stopped_works_on(self) -> None:
        oversleep.enqueue(user_id=5)
        succeed.enqueue(user_id=6)
        self.work()

        self.assertEqual(self.statuses(), ["FAILED", "SUCCESSFUL"])
        self.assertEqual(calls, [{"user_id": 5}, {"user_id": 6}])

    def test_each_retry_waits_longer_and_the_last_row_is_the_dead_letter(self) -> None:
        fail.enqueue(user_id=5)
        waits = []
        for _ in range(3):
            self.work()
            newest = DBTaskResult.objects.order_by("-enqueued_at")[0]
            if newest.run_after is not None and str(newest.status) == "READY":
                waits.append((newest.run_after - newest.enqueued_at).total_seconds())
            self.make_due()

        self.assertEqual(self.statuses(), ["SUCCESSFUL", "SUCCESSFUL", "FAILED"])
        self.assertTrue(1.9 < waits[0] < 3.1 and 3.9 < waits[1] < 6.1, waits)
        self.assertEqual(calls, [{"user_id": 5}] * 3)
