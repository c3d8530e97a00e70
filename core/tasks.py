"""Background work: one decorator with retry, and the two backends that run it."""

from __future__ import annotations

import logging
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial, wraps
from threading import Timer
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks import task
from django_tasks.backends.immediate import ImmediateBackend
from django_tasks_db.backend import DatabaseBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_tasks.base import Task

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 2
LONGEST_DELAY_SECONDS = 900
LOCMEM_MAIL = "django.core.mail.backends.locmem.EmailBackend"


class Abandoned(Exception):
    """Raised by a task that must not be tried again."""


class TaskFailed(Exception):
    """The last try failed; tells the kind of the fault and where, not its text."""


def background(
    *, queue: str = "default", priority: int = 0, attempts: int = 8
) -> Callable[[Callable[..., None]], Task[Any, None]]:
    """Make a task of a function with keyword arguments.

    A failure is tried again after 2, 4, 8 ... seconds (at most 15 minutes), with jitter. After
    ``attempts`` tries, or on ``Abandoned``, the task ends as failed: the row is its dead letter.
    Arguments are stored: pass ids, and seal what names a person (``core.sealing``).
    """

    def decorate(function: Callable[..., None]) -> Task[Any, None]:
        @wraps(function)
        def run(*, attempt: int = 1, **kwargs: Any) -> None:
            try:
                function(**kwargs)
            except Abandoned:
                raise
            except Exception as error:  # noqa: BLE001 - the one edge at which a task may fail in any way
                fault = type(error).__name__
                logger.warning(
                    "task_failed", extra={"task": function.__name__, "attempt": attempt, "fault": fault}
                )
                if attempt >= attempts:
                    # Its text may name a person (SMTP repeats the address): where and what is enough.
                    raise TaskFailed(fault).with_traceback(error.__traceback__) from None
                later = timezone.now() + timedelta(seconds=delay_seconds(attempt))
                made.using(run_after=later).enqueue(attempt=attempt + 1, **kwargs)

        made: Task[Any, None] = task(queue_name=queue, priority=priority)(run)
        return made

    return decorate


def delay_seconds(attempt: int) -> float:
    """Return the wait after the n-th failure: doubled each time, capped, with up to 50 % jitter."""
    delay: float = min(FIRST_DELAY_SECONDS * 2 ** (attempt - 1), LONGEST_DELAY_SECONDS)
    return delay * (1 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


class InProcessBackend(ImmediateBackend):
    """The embedded profile's queue: threads of the server itself, started once the data is committed.

    With Django's ``locmem`` mail backend (test runs) a task runs in the calling thread, so that
    ``mail.outbox`` is filled when the request has been answered.
    """

    supports_defer = True
    executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="task")

    def _execute_task(self, task_result: Any) -> None:
        execute = partial(super()._execute_task, task_result)
        if settings.EMAIL_BACKEND == LOCMEM_MAIL:
            execute()
        else:
            transaction.on_commit(partial(self.start, execute, task_result.task.run_after))

    def start(self, execute: Callable[[], None], run_after: datetime | None) -> None:
        """Run in a thread: at once, or when its time has come."""
        if (wait := seconds_until(run_after)) > 0:
            timer = Timer(wait, self.executor.submit, [self.in_thread, execute])
            timer.daemon = True
            timer.start()
        else:
            self.executor.submit(self.in_thread, execute)

    @staticmethod
    def in_thread(execute: Callable[[], None]) -> None:
        close_old_connections()
        try:
            execute()
        finally:
            close_old_connections()


class QueueBackend(DatabaseBackend):
    """Production's queue: rows in PostgreSQL, run by ``manage.py db_worker`` on any machine.

    Runs in the calling thread with Django's ``locmem`` mail backend, like its embedded twin.
    """

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        if settings.EMAIL_BACKEND == LOCMEM_MAIL:
            return InProcessBackend(self.alias, {"QUEUES": list(self.queues)}).enqueue(task, args, kwargs)
        return super().enqueue(task, args, kwargs)


def seconds_until(moment: datetime | None) -> float:
    return (moment - timezone.now()).total_seconds() if moment else 0.0


def enqueue(path: str, **kwargs: Any) -> None:
    """Enqueue a task by its dotted name: services lie below tasks and never import them."""
    which: Task[Any, None] = import_string(path)
    which.enqueue(**kwargs)


def enqueue_on_commit(path: str, **kwargs: Any) -> None:
    """Enqueue once the running transaction has committed: for work about rows that it wrote."""
    transaction.on_commit(partial(enqueue, path, **kwargs))
