"""What ``/metrics`` shows: what the processes counted, and what the database knows at that moment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from prometheus_client.core import GaugeMetricFamily

from core.watching import backlog, metrics, processes
from core.watching.lending import Loan, in_short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

logger = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 3.0


class Exposition:
    """A collector of Prometheus's library, for one scrape."""

    def collect(self) -> Iterator[Any]:
        folder = metrics.FOLDER
        yield from processes.families(folder) if folder else metrics.registry.collect()
        yield build()
        yield from of_the_database()


def build() -> GaugeMetricFamily:
    family = GaugeMetricFamily("btf_build_info", "Always 1: which version answers.", labels=["version"])
    family.add_metric([settings.SPECTACULAR_SETTINGS["VERSION"]], 1)
    return family


def of_the_database() -> list[Any]:
    """Return what the database tells within three seconds. What it does not tell is absent: no zero."""
    found: list[Any] = []
    backlog.migrations.load()  # from files, once a process: not in the time that the database has
    loan = Loan("metrics", lambda: ask_all(found))
    if not loan.settle(PATIENCE_SECONDS):
        tell_incomplete("TimeoutError")
    elif (error := loan.answer.exception()) is not None:  # no thread was to be had, or a defect
        tell_incomplete(type(error).__name__)
    told = list(found)
    says = "Whether the database told all that it was asked."
    return [*told, GaugeMetricFamily("btf_database_up", says, value=len(told) == NUMBER)]


def ask_all(found: list[Any]) -> None:
    """Ask one thing after the other. What takes too long is left out; without a connection, all else."""
    for question in QUESTIONS:
        try:
            with in_short():
                found += question()
        except DatabaseError as error:
            tell_incomplete(type(error).__name__)
            if connection.connection is None or not connection.is_usable():
                return


def tell_incomplete(fault: str) -> None:
    logger.warning("metrics_incomplete", extra={"store_error": fault})


def labelled(name: str, says: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def due_tasks() -> list[Any]:
    """Return depth and lag of every queue; nothing due is 0."""
    nothing = dict.fromkeys(settings.TASKS["default"]["QUEUES"], backlog.Queue(due=0, lag=0.0))
    queues = nothing | backlog.queues()
    due = {name: queue.due for name, queue in queues.items()}
    lag = {name: queue.lag for name, queue in queues.items()}
    says = "For how long the oldest task of a queue could have run."
    return [
        labelled("btf_tasks_due", "Tasks that could run now.", "queue", due),
        labelled("btf_task_lag_seconds", says, "queue", lag),
    ]


def other_tasks() -> list[Any]:
    says = "Tasks that run, and that are put off until later."
    return [labelled("btf_tasks_waiting", says, "state", backlog.other_tasks())]


def dead_letters() -> list[Any]:
    says = "Tasks that failed for good."
    return [GaugeMetricFamily("btf_dead_letters", says, value=backlog.dead_letters())]


def deliveries() -> list[Any]:
    says = "Mails that are in each state now."
    return [labelled("btf_deliveries", says, "state", backlog.deliveries())]


def mail_lag() -> list[Any]:
    says = "For how long the oldest mail has been due."
    return [GaugeMetricFamily("btf_mail_lag_seconds", says, value=backlog.mail_lag())]


def overdue_jobs() -> list[Any]:
    says = "Periodic jobs that nobody started in time."
    return [GaugeMetricFamily("btf_periodic_jobs_overdue", says, value=backlog.overdue_jobs())]


def pending_migrations() -> list[Any]:
    says = "Migrations that the database has not seen."
    return [GaugeMetricFamily("btf_migrations_pending", says, value=backlog.migrations.pending())]


QUESTIONS: Final[tuple[Callable[[], list[Any]], ...]] = (
    due_tasks,
    other_tasks,
    dead_letters,
    deliveries,
    mail_lag,
    overdue_jobs,
    pending_migrations,
)
NUMBER: Final = len(QUESTIONS) + 1  # families: the first question has two
