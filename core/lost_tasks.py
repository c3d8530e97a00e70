"""Tasks whose worker was killed: they would stay "running" for ever.

While a worker runs a task, its database session holds a lock that is named after it, and that ends with the
session: so the death of a worker is noticed at once (PostgreSQL 13.3.5, advisory locks). Where sessions are
shared by a pooler, or the network keeps a dead one, what took longer than any task may is lost as well.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks.signals import task_finished, task_started
from django_tasks_db.models import DBTaskResult

from core.tasks import QueueBackend, patience_of

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

LOST_AT_MOST: Final = 10
WORKER_LOST: Final = "core.lost_tasks.WorkerLost"
SETTLING: Final = timedelta(seconds=5)  # a worker takes the row a moment before it takes the lock


def watch_workers() -> None:
    """Have workers hold the lock of what they run. Signals, since the library offers nothing else there."""
    task_started.connect(hold, dispatch_uid="core.lost_tasks")
    task_finished.connect(let_go, dispatch_uid="core.lost_tasks")


def hold(sender: Any, task_result: Any, **kwargs: Any) -> None:
    if is_queue(sender):
        ask("pg_advisory_lock", UUID(str(task_result.id)))


def let_go(sender: Any, task_result: Any, **kwargs: Any) -> None:
    if is_queue(sender):
        ask("pg_advisory_unlock", UUID(str(task_result.id)))


def is_queue(sender: Any) -> bool:
    """Tell whether a signal is of a worker on PostgreSQL; the library sends the backend, or its class."""
    return connection.vendor == "postgresql" and QueueBackend in {sender, type(sender)}


def ask(function: str, task: UUID) -> Any:
    key = int.from_bytes(task.bytes[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])
        return cursor.fetchone()[0]


def requeue_lost_tasks() -> dict[str, int]:
    """Make tasks ready again whose worker was killed. Safe to call from many machines at once.

    One that was lost ten times may be what kills its workers: it ends as a dead letter.
    """
    done = {"requeued": 0, "given_up": 0}
    running = DBTaskResult.objects.running().filter(started_at__lt=timezone.now() - SETTLING)
    for task in running.only("queue_name", "started_at", "worker_ids"):
        with held_if_lost(task) as is_lost:
            if is_lost:
                outcome = "given_up" if len(task.worker_ids) >= LOST_AT_MOST else "requeued"
                done[outcome] += take_up(task, is_over=outcome == "given_up")
    if any(done.values()):
        logger.warning("tasks_were_lost", extra=done)
    return done


@contextmanager
def held_if_lost(task: Any) -> Iterator[bool]:
    """Tell whether nobody runs a task any more; nobody else finds that out during the block."""
    is_ours = connection.vendor == "postgresql" and ask("pg_try_advisory_lock", task.pk)
    try:
        yield is_ours or task.started_at < timezone.now() - patience_of(task.queue_name)
    finally:
        if is_ours:
            ask("pg_advisory_unlock", task.pk)


def take_up(task: Any, *, is_over: bool) -> int:
    """Make that run of a task ready again, or end it; return 0 where it has ended meanwhile."""
    again = {"status": TaskResultStatus.READY, "started_at": None}
    over = {
        "status": TaskResultStatus.FAILED,
        "finished_at": timezone.now(),
        "exception_class_path": WORKER_LOST,
    }
    same_run = DBTaskResult.objects.running().filter(pk=task.pk, started_at=task.started_at)
    return int(same_run.update(**over if is_over else again))
