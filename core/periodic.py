"""Jobs that come round by the clock, each once however many machines look at it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from django.db import transaction
from django.utils import timezone

from core.models import PeriodicRun
from core.tasks import background

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

logger = logging.getLogger(__name__)


class Job(Protocol):
    """One run of a periodic job, safe to repeat. Returns what was done, as counts."""

    def __call__(self) -> dict[str, int]: ...


jobs: dict[str, tuple[timedelta, Job]] = {}


def periodic(name: str, *, every: timedelta) -> Callable[[Job], Job]:
    """Register a job that ``manage.py run_due_jobs`` runs when its time has come."""

    def decorate(job: Job) -> Job:
        jobs[name] = (every, job)
        return job

    return decorate


def run_due_jobs() -> list[str]:
    """Enqueue every job whose time has come, once however many callers there are; returns their names.

    After an outage a job runs once, not once for each time it missed. One that fails is tried
    again as any task, and holds up no other.
    """
    return [name for name, (every, _) in jobs.items() if claim(name, every)]


@transaction.atomic
def claim(name: str, every: timedelta) -> bool:
    """Move a job's due time on, in one conditional UPDATE, and enqueue it with that or not at all."""
    now = timezone.now()
    PeriodicRun.objects.get_or_create(name=name, defaults={"due_at": now})
    claimed = PeriodicRun.objects.filter(name=name, due_at__lte=now).update(due_at=now + every)
    if claimed:
        run_job.enqueue(name=name)
    return bool(claimed)


@background(attempts=5)
def run_job(*, name: str) -> None:
    """Run one job, and keep what it did."""
    _, job = jobs[name]
    result = job()
    PeriodicRun.objects.filter(name=name).update(last_result=result)
    logger.info("periodic_job_done", extra={"job": name, "result": result})
