"""The clock: takes up lost tasks and starts due jobs, and outlasts a database that is away."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Final

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from core.lost_tasks import requeue_lost_tasks
from core.models import PeriodicRun
from core.periodic import run_due_jobs

logger = logging.getLogger(__name__)

BEAT_SECONDS: Final = 10


def beat() -> list[str]:
    """Do what is to be done at each beat; return the names of the jobs that were started.

    Lost tasks are taken up here and not by a job: a job waits for a worker.
    """
    requeue_lost_tasks()
    return run_due_jobs()


def keep_time(stop: Event) -> None:
    """Start due jobs again and again, until told to stop."""
    while not stop.is_set():
        close_old_connections()
        try:
            for name in beat():
                logger.info("periodic_job_started", extra={"job": name})
        except DatabaseError as error:
            logger.warning("clock_failed", extra={"fault": type(error).__name__})
        stop.wait(BEAT_SECONDS)


def start_clock() -> None:
    """Keep time in a thread of this process, for as long as that lives.

    Where no session holds locks this is the one process: what an earlier one was at has ended with it.
    """
    if connection.vendor != "postgresql":
        PeriodicRun.objects.update(running_until=None)
    Thread(target=keep_time, args=[Event()], name="clock", daemon=True).start()
