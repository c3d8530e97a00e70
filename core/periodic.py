"""Jobs that come round by the clock, each once however many machines look at it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from django.utils import timezone

from core.models import PeriodicRun

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


def run_due_jobs() -> dict[str, dict[str, int]]:
    """Run every job whose time has come, once however many callers there are at once.

    A caller claims a job by moving its due time on, in one conditional UPDATE. After an outage
    a job runs once, not once for each time it missed.
    """
    return {name: run_job(name, job) for name, (every, job) in jobs.items() if claim(name, every)}


def claim(name: str, every: timedelta) -> bool:
    now = timezone.now()
    PeriodicRun.objects.get_or_create(name=name, defaults={"due_at": now})
    return bool(PeriodicRun.objects.filter(name=name, due_at__lte=now).update(due_at=now + every))


def run_job(name: str, job: Job) -> dict[str, int]:
    result = job()
    PeriodicRun.objects.filter(name=name).update(last_result=result)
    logger.info("periodic_job_done", extra={"job": name, "result": result})
    return result
