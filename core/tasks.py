"""Background work: one decorator with retry, and the two backends that run it."""

from __future__ import annotations

import logging
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache, partial, wraps
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks import TaskResultStatus, task, task_backends
from django_tasks.backends.immediate import ImmediateBackend
from django_tasks_db.backend import DatabaseBackend
from django_tasks_db.models import DBTaskResult

from core.time_limits import TimeLimitExceeded, time_limit
from core.watching import metrics
from core.watching.defects import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_tasks.base import Task, TaskResult

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS: Final = 2
LONGEST_DELAY_SECONDS: Final = 900
LIMIT_SECONDS: Final = 300
GRACE_SECONDS: Final = 30  # a statement that runs at the alarm may take so long (``statement_timeout``)
TRIES_AT_ONCE: Final = 8
THREADS_A_QUEUE: Final = 2
LOCMEM_MAIL: Final = "django.core.mail.backends.locmem.EmailBackend"

longest_limits: dict[str, int] = {}  # seconds, by queue


class Abandoned(Exception):
    """Raised by a task that must not be tried again."""


class TaskFailed(Exception):
    """The last try failed; tells the kind of the fault and where, not its text."""


def background(
    *,
    queue: str = "default",
    priority: int = 0,
    attempts: int | None = 8,
    limit_seconds: int = LIMIT_SECONDS,
    longest_delay_seconds: int = LONGEST_DELAY_SECONDS,
) -> Callable[[Callable[..., None]], Task[Any, None]]:
    """Make a task of a function with keyword arguments, which are stored: ids, or sealed (``core.sealing``).

    A failure, which to run longer than ``limit_seconds`` is too, is tried again after 2, 4, 8 ... seconds
    (at most ``longest_delay_seconds``), with jitter. After ``attempts`` tries, or on ``Abandoned``, the task
    ends as failed: the row is its dead letter. With None it never gives up, and must return by itself.
    """
    longest_limits[queue] = max(limit_seconds, longest_limits.get(queue, 0))

    def decorate(function: Callable[..., None]) -> Task[Any, None]:
        @wraps(function)
        def run(*, attempt: int = 1, **kwargs: Any) -> None:
            try:
                is_done = tried(function, kwargs, limit_seconds, attempt=attempt, attempts=attempts)
            except (SystemExit, KeyboardInterrupt):
                leave_to_another(made, attempt=attempt, **kwargs)
                raise
            if not is_done:
                wait = delay_seconds(attempt, longest_delay_seconds)
                retry_after(wait, made, attempt=attempt + 1, **kwargs)
            count(function, "done" if is_done else "retried")

        made: Task[Any, None] = task(queue_name=queue, priority=priority)(run)
        return made

    return decorate


def tried(
    function: Callable[..., None],
    kwargs: dict[str, Any],
    limit_seconds: int,
    *,
    attempt: int,
    attempts: int | None,
) -> bool:
    """Run a task's function; tell whether it is done, or to be tried again. Raises what ends the task."""
    try:
        with time_limit(limit_seconds, name=function.__name__):
            function(**kwargs)
    except Abandoned:
        count(function, "failed")
        raise
    except (Exception, TimeLimitExceeded) as error:  # noqa: BLE001 - the edge at which anything fails
        told = {"task": function.__name__, "attempt": attempt, "fault": type(error).__name__}
        logger.warning("task_failed", extra=told)
        if is_last(attempt, attempts):
            count(function, "failed")
            report(error, task=function.__name__)
            raise without_words(error) from None
        return False
    return True


def retry_after(seconds: float, failed: Task[Any, None], **kwargs: Any) -> None:
    failed.using(run_after=timezone.now() + timedelta(seconds=seconds)).enqueue(**kwargs)


def without_words(error: BaseException) -> TaskFailed:
    """Return what may be kept of a fault: its text may name a person, as SMTP repeats the address."""
    return TaskFailed(type(error).__name__).with_traceback(error.__traceback__)


def count(function: Callable[..., None], outcome: str) -> None:
    metrics.tasks.labels(function.__name__, outcome).inc()


def leave_to_another(stopped: Task[Any, None], **kwargs: Any) -> None:
    """Queue up anew what ends with its worker: somebody told that to stop, for the second time."""
    if not runs_at_once():
        stopped.using(run_after=timezone.now()).enqueue(**kwargs)


def is_last(attempt: int, attempts: int | None) -> bool:
    """Tell whether a failure is final. Where no time passes between tries, each task has its last one."""
    if attempts is None:
        return runs_at_once() and attempt >= TRIES_AT_ONCE
    return attempt >= attempts


def delay_seconds(attempt: int, longest: int = LONGEST_DELAY_SECONDS) -> float:
    """Return the wait after the n-th failure: doubled each time, capped, with up to 50 % jitter."""
    delay: float = min(FIRST_DELAY_SECONDS * 2 ** (attempt - 1), longest)
    return delay * (1 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


def patience_of(queue: str) -> timedelta:
    """Return after what time a running task of a queue is lost: all of them are stopped well before."""
    return timedelta(seconds=longest_limits.get(queue, LIMIT_SECONDS) + 2 * GRACE_SECONDS)


def runs_at_once() -> bool:
    """Tell whether tasks run in the calling thread, as in test runs."""
    return bool(settings.EMAIL_BACKEND == LOCMEM_MAIL)


class InProcessBackend(ImmediateBackend):
    """The embedded profile's queues: threads of the server itself, started once the data is committed.

    With Django's ``locmem`` mail backend (test runs) a task runs in the calling thread, so that
    ``mail.outbox`` is filled when the request has been answered.
    """

    supports_defer = True

    def _execute_task(self, task_result: Any) -> None:
        execute = partial(super()._execute_task, task_result)
        if runs_at_once():
            execute()
        else:
            transaction.on_commit(partial(self.start, execute, task_result))

    def start(self, execute: Callable[[], None], result: TaskResult[None]) -> None:
        """Run in a thread of the queue: at once, or when its time has come."""
        pool = pool_of(result.task.queue_name)
        if (wait := seconds_until(result.task.run_after)) > 0:
            timer = Timer(wait, pool.submit, [self.in_thread, execute, result])
            timer.daemon = True
            timer.start()
        else:
            pool.submit(self.in_thread, execute, result)

    @staticmethod
    def in_thread(execute: Callable[[], None], result: TaskResult[None]) -> None:
        close_old_connections()
        try:
            execute()
            if result.status == TaskResultStatus.FAILED:
                keep_dead_letter(result)
        finally:
            close_old_connections()


@lru_cache
def pool_of(queue: str) -> ThreadPoolExecutor:
    """Return the threads of one queue: its own, so that no other holds it up."""
    return ThreadPoolExecutor(THREADS_A_QUEUE, thread_name_prefix=f"task-{queue}")


def keep_dead_letter(result: TaskResult[None]) -> None:
    """Write the row that production's queue would have left: failed tasks are found in one place."""
    error = result.errors[-1]
    try:
        DBTaskResult.objects.create(
            status=TaskResultStatus.FAILED,
            started_at=result.started_at,
            finished_at=result.finished_at,
            args_kwargs={"args": result.args, "kwargs": result.kwargs},
            priority=result.task.priority,
            task_path=result.task.module_path,
            queue_name=result.task.queue_name,
            backend_name=result.backend,
            run_after=result.task.run_after or timezone.now(),
            exception_class_path=error.exception_class_path,
            traceback=error.traceback,
        )
    except DatabaseError as fault:
        logger.warning("dead_letter_lost", extra={"task": result.task.name, "fault": type(fault).__name__})


class QueueBackend(DatabaseBackend):
    """Production's queue: rows in PostgreSQL, run by ``manage.py db_worker`` on any machine.

    Runs in the calling thread with Django's ``locmem`` mail backend, like its embedded twin.
    """

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        if runs_at_once():
            return InProcessBackend(self.alias, {"QUEUES": list(self.queues)}).enqueue(task, args, kwargs)
        return super().enqueue(task, args, kwargs)


def seconds_until(moment: datetime | None) -> float:
    return (moment - timezone.now()).total_seconds() if moment else 0.0


def is_waiting(path: str, **kwargs: Any) -> bool:
    """Tell whether a task of that name, given this, waits in the queue already."""
    ready = DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=path)
    return bool(ready.filter(**{f"args_kwargs__kwargs__{name}": kwargs[name] for name in kwargs}).exists())


def enqueue(path: str, **kwargs: Any) -> None:
    """Enqueue a task by its dotted name: services lie below tasks and never import them."""
    which: Task[Any, None] = import_string(path)
    which.enqueue(**kwargs)


def enqueue_on_commit(path: str, **kwargs: Any) -> None:
    """Enqueue with the running transaction: what it wrote and the task are there together, or neither is.

    On the queue the row is written at once, by this transaction: no kill can come between. In process,
    where nothing would take a started task back, it is enqueued once the data is committed.
    """
    if isinstance(task_backends["default"], QueueBackend) and not runs_at_once():
        enqueue(path, **kwargs)
    else:
        transaction.on_commit(partial(enqueue, path, **kwargs))
