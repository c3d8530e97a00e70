"""What health tells of the database's own: late tasks, pending migrations (D32)."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import Any
from unittest.mock import patch

from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.health.backlog import MORE_SECONDS, migration_files, standing
from core.health.parts import EVERY_SECONDS, GOOD_SECONDS
from core.health.report import PATIENCE_SECONDS as PATIENCE_OF_A_CALL
from core.tests.test_health_parts import PATIENCE_SECONDS, PartsCase
from core.watching.backlog import migrations


class BacklogTests(PartsCase):
    def setUp(self) -> None:
        super().setUp()
        migration_files.forget()
        self.addCleanup(migration_files.forget)

    def queued(self, queue: str, **ago: int) -> None:
        DBTaskResult.objects.create(
            task_path="core.periodic.run_job",
            queue_name=queue,
            priority=0,
            backend_name="default",
            args_kwargs={"args": [], "kwargs": {}},
            run_after=timezone.now() - timedelta(**ago),
            exception_class_path="",
        )

    def test_a_sign_in_mail_is_late_after_a_minute_and_other_work_after_ten(self) -> None:
        for queue, seconds, word in (
            ("sign-in", 59, "on_time"),
            ("default", 590, "on_time"),
            ("default", 610, "late"),
            ("sign-in", 65, "late"),
        ):
            with self.subTest(queue=queue, seconds=seconds):
                DBTaskResult.objects.all().delete()
                standing.forget()
                self.queued(queue, seconds=seconds)
                self.assertEqual(self.health()[2]["tasks"], word)

    def test_late_tasks_are_degraded_and_still_200(self) -> None:
        self.queued("sign-in", minutes=5)

        self.assert_degraded("tasks", "late")

    def test_what_is_put_off_is_not_late(self) -> None:
        self.queued("default", days=-1)

        self.assertEqual(self.health()[2]["tasks"], "on_time")

    def test_a_migration_that_the_database_has_not_seen_is_degraded(self) -> None:
        recorded = MigrationRecorder.Migration.objects.filter(app="core").order_by("-pk")
        recorded.filter(pk=recorded[0].pk).delete()

        self.assert_degraded("migrations", "pending")

    def test_the_migrations_files_are_read_after_the_first_call(self) -> None:
        with patch.object(migrations, "names", frozenset()):
            self.assertEqual(self.health()[2]["migrations"], "unknown")
            self.assertEqual(migration_files.word(monotonic() + PATIENCE_SECONDS), "connected")
            self.assertEqual(self.health()[2]["migrations"], "applied")

    def test_while_the_files_cannot_be_read_not_every_caller_asks_for_them_or_the_database(
        self,
    ) -> None:
        with (
            patch.object(migrations, "names", frozenset()),
            patch("core.watching.backlog.MigrationLoader", side_effect=ImportError) as loader,
            patch("core.watching.backlog.queues", return_value={}) as queues,
        ):
            for _ in range(5):
                self.assertEqual(self.health()[2]["migrations"], "unknown")
                self.assertEqual(migration_files.word(monotonic() + PATIENCE_SECONDS), "error")

        self.assertEqual((loader.call_count, queues.call_count), (1, 1))

    def test_files_that_could_not_be_read_are_read_again_half_a_minute_later(self) -> None:
        with patch.object(migrations, "names", frozenset()):
            with patch("core.watching.backlog.MigrationLoader", side_effect=ImportError):
                self.health()
                migration_files.word(monotonic() + PATIENCE_SECONDS)
            migration_files.asked_at -= EVERY_SECONDS
            self.health()
            migration_files.word(monotonic() + PATIENCE_SECONDS)
            if migration_files.answer is not None:
                migration_files.answer.result(PATIENCE_SECONDS)

            self.assertEqual(self.health()[2]["migrations"], "applied")

    def test_what_was_learnt_a_minute_ago_is_unknown_while_the_database_is_too_slow_to_ask(self) -> None:
        self.assertEqual(self.health()[2]["tasks"], "on_time")

        with patch("core.health.backlog.ENOUGH_SECONDS", 60):
            self.assertEqual(self.health()[2]["tasks"], "on_time")
            standing.learnt_at -= GOOD_SECONDS
            services = self.health()[2]

        self.assertEqual((services["tasks"], services["migrations"]), ("unknown", "unknown"))

    def test_all_is_told_within_a_second_of_patience(self) -> None:
        self.assertLess(PATIENCE_OF_A_CALL + MORE_SECONDS, 1)

    def test_however_many_ask_the_database_is_asked_once_for_these(self) -> None:
        self.health()

        with self.assertNumQueries(1):
            self.health()

    def test_without_the_database_nobody_knows(self) -> None:
        with patch("django.db.connection.cursor", side_effect=OperationalError):
            status, verdict, services = self.health()

        self.assertEqual((status, verdict), (503, "unhealthy"))
        self.assertEqual((services["tasks"], services["migrations"]), ("unknown", "unknown"))

    def test_a_question_that_takes_too_long_is_unknown_and_not_asked_again_at_once(self) -> None:
        with patch("core.watching.backlog.queues", side_effect=OperationalError) as queues:
            answers: list[Any] = [self.health() for _ in range(3)]

        self.assertEqual(queues.call_count, 1)
        for status, verdict, services in answers:
            self.assertEqual((status, verdict, services["tasks"]), (200, "healthy", "unknown"))
