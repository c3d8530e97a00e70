"""Tasks whose worker was killed: taken up again at once where that can be known, later elsewhere."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core import locks
from core.lost_tasks import lock_of, requeue_lost_tasks
from core.models import DeadLetter
from core.periodic import JOB_LIMIT_SECONDS
from core.tasks import GRACE_SECONDS, patience_of
from core.tests.test_tasks import REAL_MAIL, succeed

on_postgresql = skipUnless(connection.vendor == "postgresql", "Sessions hold locks on PostgreSQL alone.")


def make_running(queue: str = "default", *, since: timedelta, workers: int = 1) -> Any:
    """Return a task that a worker began so long ago."""
    return DBTaskResult.objects.create(
        task_path="core.tests.test_tasks.succeed",
        args_kwargs={"args": [], "kwargs": {}},
        backend_name="default",
        run_after=timezone.now(),
        status=TaskResultStatus.RUNNING,
        queue_name=queue,
        started_at=timezone.now() - since,
        worker_ids=["worker"] * workers,
    )


def status_of(task: Any) -> str:
    task.refresh_from_db()
    return str(task.status)


class PatienceTests(TestCase):
    """Without locks, as behind a pooler: nobody can ask whether the session lives."""

    def setUp(self) -> None:
        unknown = patch("core.locks.ask", return_value=False)
        unknown.start()
        self.addCleanup(unknown.stop)

    def test_what_takes_longer_than_any_task_may_is_lost(self) -> None:
        """SAFETY R6: it would stay "running" for ever."""
        moment = timedelta(seconds=5)
        for queue in ("sign-in", "default", "mail"):
            with self.subTest(queue):
                running = make_running(queue, since=patience_of(queue) - moment)
                lost = make_running(queue, since=patience_of(queue) + moment)

                self.assertEqual(requeue_lost_tasks(), {"requeued": 1, "given_up": 0})
                self.assertEqual((status_of(running), status_of(lost)), ("RUNNING", "READY"))
                self.assertIsNone(lost.started_at)

    def test_a_task_that_kills_its_workers_ends_as_a_dead_letter(self) -> None:
        long_ago = timedelta(hours=1)
        suspect, deadly = make_running(since=long_ago, workers=9), make_running(since=long_ago, workers=10)

        self.assertEqual(requeue_lost_tasks(), {"requeued": 1, "given_up": 1})
        self.assertEqual((status_of(suspect), status_of(deadly)), ("READY", "FAILED"))
        self.assertEqual([letter.fault for letter in DeadLetter.objects.all()], ["WorkerLost"])

    def test_each_queue_is_more_patient_than_its_tasks_may_take(self) -> None:
        for path, queue in (
            ("authentication.tasks.mail_sign_in", "sign-in"),
            ("core.periodic.run_job", "default"),
            ("users.tasks.build_archive", "default"),
        ):
            self.assertEqual(import_string(path).queue_name, queue)
        self.assertGreaterEqual(patience_of("sign-in").total_seconds(), 60 + 2 * GRACE_SECONDS)
        self.assertGreaterEqual(patience_of("default").total_seconds(), JOB_LIMIT_SECONDS + 2 * GRACE_SECONDS)


@on_postgresql
class SessionTests(TransactionTestCase):
    """A worker's session holds the lock of what it runs, for as long as it lives."""

    def test_a_task_is_lost_as_soon_as_the_session_of_its_worker_has_ended(self) -> None:
        task = make_running(since=timedelta(seconds=10))
        holds, may_die = Event(), Event()

        def live() -> None:
            locks.take(lock_of(task.pk, 1))
            holds.set()
            may_die.wait(10)
            connection.close()

        worker = Thread(target=live)
        worker.start()
        holds.wait(10)
        self.assertEqual(requeue_lost_tasks(), {"requeued": 0, "given_up": 0})

        may_die.set()
        worker.join()
        self.assertEqual(self.first_finding(), {"requeued": 1, "given_up": 0})
        self.assertEqual(status_of(task), "READY")

    def test_what_a_frozen_host_still_holds_is_run_by_another_in_the_end(self) -> None:
        task = make_running(since=patience_of("default") + timedelta(seconds=5))
        holds, may_end = Event(), Event()

        def freeze() -> None:
            locks.take(lock_of(task.pk, 1))
            holds.set()
            may_end.wait(30)
            connection.close()

        host = Thread(target=freeze)
        host.start()
        holds.wait(10)
        self.assertEqual(requeue_lost_tasks(), {"requeued": 1, "given_up": 0})
        with override_settings(EMAIL_BACKEND=REAL_MAIL):
            self.work()
        may_end.set()
        host.join()

        self.assertEqual(status_of(task), "SUCCESSFUL")

    def test_one_that_has_just_begun_is_not_looked_at(self) -> None:
        make_running(since=timedelta(seconds=4))

        self.assertEqual(requeue_lost_tasks(), {"requeued": 0, "given_up": 0})

    def test_a_worker_holds_the_lock_while_it_works_and_no_longer(self) -> None:
        held: list[bool] = []

        def look(call: Any) -> None:
            held.append(self.locks() > 0)

        with override_settings(EMAIL_BACKEND=REAL_MAIL), patch("core.tests.test_tasks.calls") as calls:
            calls.append.side_effect = look
            succeed.enqueue()
            self.work()

        self.assertEqual((held, self.locks()), ([True], 0))

    @staticmethod
    def first_finding() -> dict[str, int]:
        """Ask until something is lost: PostgreSQL ends a session a moment after its client has gone.

        The queue's patience is a quarter of an hour, so what is found here is found by its lock.
        """
        until = time.monotonic() + 30
        found = requeue_lost_tasks()
        while not any(found.values()) and time.monotonic() < until:
            time.sleep(0.02)
            found = requeue_lost_tasks()
        return found

    @staticmethod
    def work() -> None:
        with patch("django_tasks_db.management.commands.db_worker.Worker.configure_signals"):
            call_command(
                "db_worker", batch=True, startup_delay=False, queue_name="*", interval=0, verbosity=0
            )

    @staticmethod
    def locks() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
            return int(cursor.fetchone()[0])
