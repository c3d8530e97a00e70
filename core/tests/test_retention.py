"""What the platform forgets, and what it keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.periodic import jobs
from core.retention import prune_tasks


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
