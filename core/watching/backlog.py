"""What waits in the database: read when somebody looks, in as many queries however much it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Case, Count, F, Min, Q, When
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from core.models import DeadLetter, Delivery, PeriodicRun
from core.periodic import jobs

if TYPE_CHECKING:
    from datetime import datetime

OVERDUE: Final = timedelta(minutes=5)  # a clock that is well looks every ten seconds


@dataclass(frozen=True)
class Queue:
    """How many tasks of a queue could run now, and for how many seconds the oldest of them could."""

    due: int
    lag: float


def queues() -> dict[str, Queue]:
    """Return the queues in which something is due. One query."""
    now = timezone.now()
    # What is to run at once has no moment of its own.
    since = Case(When(run_after=get_date_max(), then=F("enqueued_at")), default=F("run_after"))
    rows = DBTaskResult.objects.ready().order_by().values("queue_name")
    found = rows.annotate(due=Count("pk"), since=Min(since))
    return {row["queue_name"]: Queue(row["due"], age(row["since"], now)) for row in found}


def age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def other_tasks() -> dict[str, int]:
    """Return how many tasks run, or are put off. One query."""
    now = timezone.now()
    put_off = Q(status=TaskResultStatus.READY, run_after__gt=now) & ~Q(run_after=get_date_max())
    running = Q(status=TaskResultStatus.RUNNING)
    counted: dict[str, int] = DBTaskResult.objects.filter(running | put_off).aggregate(
        running=Count("pk", filter=running), put_off=Count("pk", filter=put_off)
    )
    return counted


def dead_letters() -> int:
    """Return how many tasks failed for good. One query."""
    return DeadLetter.objects.count()


def deliveries() -> dict[str, int]:
    """Return how many mails are in which state, in each of them. One query."""
    return dict.fromkeys(Delivery.State.values, 0) | Delivery.objects.by_state()


def mail_lag() -> float:
    """Return for how many seconds the oldest mail has been due; 0 where none is. One query."""
    now = timezone.now()
    due = Delivery.objects.filter(state=Delivery.State.QUEUED, due_at__lte=now)
    return age(due.aggregate(oldest=Min("due_at"))["oldest"], now)


def overdue_jobs() -> int:
    """Return how many periodic jobs should have been started five minutes ago. One query."""
    return PeriodicRun.objects.filter(name__in=jobs, due_at__lt=timezone.now() - OVERDUE).count()


@dataclass
class Migrations:
    """The migrations of this process's code. They do not change while it runs, and are read once."""

    names: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def load(self) -> frozenset[tuple[str, str]]:
        """Read the files: some tenths of a second. No query."""
        if not self.names:
            self.names = frozenset(MigrationLoader(None).graph.nodes)
        return self.names

    def pending(self) -> int:
        """Return how many the database has not seen. Two queries."""
        return len(self.load() - set(MigrationRecorder(connection).applied_migrations()))


migrations: Final = Migrations()
