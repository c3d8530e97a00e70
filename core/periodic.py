"""Jobs that come round by the clock, each once however many machines look at it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core import locks
from core.models import PeriodicRun
from core.tasks import GRACE_SECONDS, background, is_waiting
from core.time_limits import time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import QuerySet

    from core.forgetting import Line

logger = logging.getLogger(__name__)

JOB_LIMIT_SECONDS: Final = 900


class Job(Protocol):
    """One run of a periodic job, safe to repeat. Returns what was done, as counts."""

    def __call__(self) -> dict[str, int]: ...


class Due(Protocol):
    """What a job would delete now. Deletes nothing."""

    def __call__(self) -> Iterable[Line]: ...


jobs: dict[str, tuple[timedelta, Job]] = {}
forgetting: dict[str, tuple[Due, ...]] = {}  # by job, of those that delete what is too old
limits: dict[str, int] = {}  # seconds, of jobs that may not run for JOB_LIMIT_SECONDS


def periodic(
    name: str, *, every: timedelta, limit_seconds: int = JOB_LIMIT_SECONDS, due: tuple[Due, ...] = ()
) -> Callable[[Job], Job]:
    """Register a job that runs when its time has come, and is stopped after so many seconds, at most 900.

    One that deletes what is too old says in ``due`` how that is found (``manage.py retention``).
    """

    def decorate(job: Job) -> Job:
        jobs[name], limits[name] = (every, job), limit_seconds
        if due:
            forgetting[name] = due
        return job

    return decorate


def run_due_jobs() -> list[str]:
    """Enqueue every job whose time has come, once however many callers there are; returns their names.

    After an outage a job runs once, not once for each time it missed. One that fails is tried
    again as any task, and holds up no other.
    """
    later = set(PeriodicRun.objects.filter(due_at__gt=timezone.now()).values_list("name", flat=True))
    return [name for name, (every, _) in jobs.items() if name not in later and claim(name, every)]


@transaction.atomic
def claim(name: str, every: timedelta) -> bool:
    """Move a job's due time on, in one conditional UPDATE, and enqueue it with that or not at all.

    Not where a run of it waits as it is: while no worker runs, they would pile up.
    """
    now = timezone.now()
    PeriodicRun.objects.get_or_create(name=name, defaults={"due_at": now})
    claimed = PeriodicRun.objects.filter(name=name, due_at__lte=now).update(due_at=now + every)
    if not claimed or is_waiting(run_job.module_path, name=name):
        return False
    run_job.enqueue(name=name)
    return True


@background(priority=10, attempts=5, limit_seconds=JOB_LIMIT_SECONDS)
def run_job(*, name: str) -> None:
    """Run one job and keep what it did, unless it runs elsewhere: then its next time will do."""
    _, job = jobs[name]
    limit = limits.get(name, JOB_LIMIT_SECONDS)
    with lease(name, limit) as run:
        if run is None:
            logger.warning("periodic_job_skipped", extra={"job": name})
            return
        with time_limit(limit, name=name):
            result = job()
        run.update(last_result=result)
    logger.info("periodic_job_done", extra={"job": name, "result": result})


@contextmanager
def lease(name: str, limit: int) -> Iterator[QuerySet[PeriodicRun] | None]:
    """Hold a job for the block; None where somebody else holds it.

    By a lock of the session, which a killed worker's ends with; by time where sessions have none, and where
    one lives on that has held it for longer than the job may run.
    """
    with locks.held_if_free(f"job {name}") as is_free:
        now = timezone.now()
        until = now + timedelta(seconds=limit + GRACE_SECONDS)
        is_over = Q(running_until__lte=now)
        may_run = {True: Q(), False: is_over, None: is_over | Q(running_until=None)}[is_free]
        runs = PeriodicRun.objects.filter(name=name)
        taken = runs.filter(may_run).update(running_until=until)
        try:
            yield runs if taken else None
        finally:
            if taken:
                runs.filter(running_until=until).update(running_until=None)
