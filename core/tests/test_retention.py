"""What the platform forgets, and what it keeps."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.forgetting import Line, Old, delete_batch, delete_some_at_a_time
from core.models import IdempotentWrite, Upload
from core.periodic import forgetting, jobs
from core.retention import OLD_WRITES, old_writes, prune_admin_sessions, prune_tasks
from core.testing import in_parallel
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

HOUR = timedelta(hours=1)


class PruneTaskTests(TestCase):
    def make_task(self, status: TaskResultStatus, days: float) -> Any:
        ended = None if status == TaskResultStatus.READY else timezone.now() - timedelta(days=days)
        return DBTaskResult.objects.create(
            task_path="core.tests.test_tasks.succeed",
            args_kwargs={"args": [], "kwargs": {}},
            backend_name="default",
            run_after=timezone.now(),
            status=status,
            finished_at=ended,
        )

    def test_tasks_are_forgotten_a_week_after_they_ended_however_they_ended(self) -> None:
        done, failed, ready = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED, TaskResultStatus.READY
        kept = {self.make_task(done, 6.9).pk, self.make_task(failed, 6.9).pk, self.make_task(ready, 30).pk}
        for status in (done, failed):
            self.make_task(status, 7.1)

        self.assertEqual(prune_tasks(), {"deleted": 2})
        self.assertEqual(set(DBTaskResult.objects.values_list("pk", flat=True)), kept)

    def test_it_comes_round_each_day(self) -> None:
        self.assertEqual(jobs["prune_tasks"][0], timedelta(days=1))


class AdminSessionTests(TestCase):
    def test_those_that_have_run_out_go(self) -> None:
        for name, hours in (("over", -1), ("live", 1)):
            Session.objects.create(session_key=name, expire_date=timezone.now() + hours * HOUR)

        self.assertEqual(prune_admin_sessions(), {"deleted": 1})
        self.assertEqual(Session.objects.get().session_key, "live")


def make_writes(count: int, *, user: User, hours: float) -> None:
    at = timezone.now() - hours * HOUR
    IdempotentWrite.objects.bulk_create(
        IdempotentWrite(user=user, key=f"{hours} {n}", fingerprint="", created_at=at) for n in range(count)
    )


class DeletingTests(TestCase):
    user: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user()

    def test_what_is_due_goes_and_the_rest_stays(self) -> None:
        make_writes(3, user=self.user, hours=25)
        make_writes(2, user=self.user, hours=23)

        self.assertEqual(OLD_WRITES.delete(), 3)
        self.assertEqual(IdempotentWrite.objects.count(), 2)

    def test_a_transaction_deletes_a_bounded_number(self) -> None:
        make_writes(7, user=self.user, hours=25)
        sizes: list[int] = []

        def note(execute: Any, sql: str, *args: Any) -> Any:
            result = execute(sql, *args)
            if sql.startswith("DELETE"):
                sizes.append(IdempotentWrite.objects.count())
            return result

        with (
            patch("core.forgetting.BATCH", 2),
            patch("core.forgetting.LOOKED_UP_AT_ONCE", 4),
            connection.execute_wrapper(note),
        ):
            self.assertEqual(OLD_WRITES.delete(), 7)

        self.assertEqual(sizes, [5, 3, 1, 0])

    def test_it_ends_in_time_and_leaves_the_rest_to_the_next_run(self) -> None:
        make_writes(4, user=self.user, hours=25)
        with (
            patch("core.forgetting.BATCH", 1),
            patch("core.forgetting.time.monotonic", side_effect=[0, 1, 2, 9, 9]),
        ):
            deleted = delete_some_at_a_time(old_writes(), most_seconds=5)

        self.assertEqual((deleted, IdempotentWrite.objects.count()), (2, 2))

    def test_what_is_not_due_any_more_when_its_turn_comes_stays(self) -> None:
        make_writes(1, user=self.user, hours=25)

        def renew_and_delete(rows: Any, ids: list[Any]) -> int:
            IdempotentWrite.objects.update(created_at=timezone.now())
            return delete_batch(rows, ids)

        with patch("core.forgetting.delete_batch", renew_and_delete):
            self.assertEqual(OLD_WRITES.delete(), 0)

        self.assertEqual(IdempotentWrite.objects.count(), 1)


@skipUnless(connection.vendor == "postgresql", "SQLite has no locks on rows.")
class HeldTests(TransactionTestCase):
    def test_nobody_is_waited_for_and_what_they_hold_is_left(self) -> None:
        make_writes(3, user=make_user(), hours=25)
        held = IdempotentWrite.objects.order_by("pk")[0].pk

        with transaction.atomic():
            IdempotentWrite.objects.select_for_update().get(pk=held)
            deleted = in_parallel(lambda _: OLD_WRITES.delete(), 1)

        self.assertEqual(deleted, [2])
        self.assertEqual(IdempotentWrite.objects.get().pk, held)


class ReportTests(TestCase):
    def told(self, *words: str, **options: Any) -> list[str]:
        out = StringIO()
        call_command("retention", *words, stdout=out, **options)
        return out.getvalue().splitlines()

    def test_it_tells_how_many_and_how_old_and_deletes_nothing(self) -> None:
        make_writes(2, user=make_user(), hours=25)
        make_writes(1, user=IdempotentWrite.objects.all()[0].user, hours=30)
        oldest = timezone.now() - 30 * HOUR

        lines = self.told("prune_idempotent_writes")

        self.assertEqual(
            lines, [f"prune_idempotent_writes: keys of writes: 3, the oldest of {oldest:%Y-%m-%d %H:%M} UTC"]
        )
        self.assertEqual(IdempotentWrite.objects.count(), 3)

    def test_where_nothing_is_due_it_says_so(self) -> None:
        self.assertEqual(self.told("prune_tasks"), ["prune_tasks: ended tasks: 0"])

    def test_every_job_that_forgets_is_in_it_and_none_deletes(self) -> None:
        Upload.objects.create(key="uploads/a.txt", filename="a", size=1, mime_type="text/plain")
        before = self.deleted_by(self.told)

        self.assertEqual(before, [])
        told = {line.partition(":")[0] for line in self.told()}
        self.assertEqual(told, forgetting.keys())
        self.assertEqual(told, {name for name in jobs if name.startswith(("prune_", "purge_", "reap_"))})

    @staticmethod
    def deleted_by(call: Any) -> list[str]:
        found: list[str] = []

        def note(execute: Any, sql: str, *args: Any) -> Any:
            if sql.lstrip().split(" ")[0].upper() not in {"SELECT", "SAVEPOINT", "RELEASE"}:
                found.append(sql)
            return execute(sql, *args)

        with connection.execute_wrapper(note):
            call()
        return found

    def test_applied_it_runs_the_jobs_after_the_report(self) -> None:
        make_writes(2, user=make_user(), hours=25)

        lines = self.told("prune_idempotent_writes", apply=True)

        self.assertEqual(lines[-1], "prune_idempotent_writes has run: deleted 2")
        self.assertFalse(IdempotentWrite.objects.exists())

    def test_a_job_that_does_not_forget_is_refused(self) -> None:
        with self.assertRaisesMessage(CommandError, "No such job: look_for_mail."):
            self.told("look_for_mail")

    def test_the_report_and_the_job_find_the_same(self) -> None:
        """One query set is behind both: a count of the report is what ``delete`` then deletes."""
        make_writes(4, user=make_user(), hours=25)
        for due in [due for dues in forgetting.values() for due in dues if isinstance(due, Old)]:
            with self.subTest(due.what):
                (line,) = due()
                self.assertIsInstance(line, Line)
                self.assertEqual(line.count, due.due().count())
                self.assertEqual(line.oldest is None, line.count == 0)
