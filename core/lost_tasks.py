"""Tasks whose worker was killed: they would stay "running" for ever.

While a worker runs a task, its database session holds a lock that is named after it: so a worker's death is
noticed at once. Where that cannot be asked, what took longer than any task may is lost.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks.signals import task_finished, task_started
from django_tasks_db.models import DBTaskResult

from core import locks
from core.tasks import QueueBackend, patience_of
from core.watching import metrics

logger = logging.getLogger(__name__)
held: list[str] = []  # by this process, which runs one task at a time

LOST_AT_MOST: Final = 10
WORKER_LOST: Final = "core.lost_tasks.WorkerLost"
SETTLING: Final = timedelta(seconds=5)  # a worker takes the row a moment before it takes the lock


def watch_workers() -> None:
    """Have workers hold the lock of what they run. Signals, since the library offers nothing else there."""
    task_started.connect(hold, dispatch_uid="core.lost_tasks")
    task_finished.connect(let_go, dispatch_uid="core.lost_tasks")


def hold(sender: Any, task_result: Any, **kwargs: Any) -> None:
    if is_queue(sender):
        held.append(lock_of(task_result.id, len(task_result.worker_ids)))
        locks.take(held[-1])


def hold_again() -> None:
    """Have the session at hand hold what the one before did, which was cut off: the worker lives."""
    for name in held:
        locks.take(name)


def let_go(sender: Any, task_result: Any, **kwargs: Any) -> None:
    if is_queue(sender):
        locks.let_go(lock_of(task_result.id, len(task_result.worker_ids)))
        held.clear()


def lock_of(task_id: UUID | str, run: int) -> str:
    """Name the lock of a task's n-th run: a session that outlives its worker keeps it."""
    return f"task {UUID(str(task_id))} {run}"


def is_queue(sender: Any) -> bool:
    """Tell whether a signal is of a worker that holds locks; the library sends the backend, or its class."""
    return locks.exist() and QueueBackend in {sender, type(sender)}


def requeue_lost_tasks() -> dict[str, int]:
    """Make tasks ready again whose worker was killed. Safe to call from many machines at once.

    One that was lost ten times may be what kills its workers: it ends as a dead letter.
    """
    done = {"requeued": 0, "given_up": 0}
    running = DBTaskResult.objects.running().filter(started_at__lt=timezone.now() - SETTLING)
    for task in running.only("queue_name", "started_at", "task_path", "worker_ids"):
        with locks.held_if_free(lock_of(task.pk, len(task.worker_ids))) as is_free:
            if is_free or task.started_at < timezone.now() - patience_of(task.queue_name):
                outcome = "given_up" if len(task.worker_ids) >= LOST_AT_MOST else "requeued"
                done[outcome] += take_up(task, is_over=outcome == "given_up")
    if any(done.values()):
        logger.warning("tasks_were_lost", extra=done)
    return done


def take_up(task: Any, *, is_over: bool) -> int:
    """Make that run of a task ready again, or end it; return 0 where it has ended meanwhile."""
    again = {"status": TaskResultStatus.READY, "started_at": None}
    over = {
        "status": TaskResultStatus.FAILED,
        "finished_at": timezone.now(),
        "exception_class_path": WORKER_LOST,
    }
    same_run = DBTaskResult.objects.running().filter(pk=task.pk, started_at=task.started_at)
    lost = int(same_run.update(**over if is_over else again))
    metrics.tasks.labels(task.task_path.rpartition(".")[2], "lost").inc(lost)
    return lost
