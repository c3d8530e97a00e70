"""What the platform itself forgets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core import audit
from core.forgetting import Old, delete_some_at_a_time
from core.models import AuditEvent, IdempotentWrite
from core.periodic import periodic

if TYPE_CHECKING:
    from django.db.models import QuerySet

KEEP_TASKS_DAYS: Final = 7
KEEP_WRITES_HOURS: Final = 24
AUDIT_BATCH: Final = 10_000  # rows of one transaction, and of one row that says so


def old_tasks() -> QuerySet[Any]:
    before = timezone.now() - timedelta(days=KEEP_TASKS_DAYS)
    ended: QuerySet[Any] = DBTaskResult.objects.finished().filter(finished_at__lt=before)
    return ended


def old_writes() -> QuerySet[IdempotentWrite]:
    return IdempotentWrite.objects.filter(created_at__lt=timezone.now() - timedelta(hours=KEEP_WRITES_HOURS))


def ended_admin_sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now())


def old_audit_events() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(at__lt=timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))


def old_admin_history() -> QuerySet[LogEntry]:
    before = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    return LogEntry.objects.filter(action_time__lt=before)


OLD_TASKS: Final = Old("ended tasks", old_tasks, by="finished_at")
OLD_WRITES: Final = Old("keys of writes", old_writes, by="created_at")
ENDED_ADMIN_SESSIONS: Final = Old("sessions of the admin site", ended_admin_sessions, by="expire_date")
OLD_AUDIT_EVENTS: Final = Old("audit events", old_audit_events, by="at")
OLD_ADMIN_HISTORY: Final = Old("history of the admin site", old_admin_history, by="action_time")


@periodic("prune_tasks", every=timedelta(hours=24), due=(OLD_TASKS,))
def prune_tasks() -> dict[str, int]:
    """Delete tasks that ended more than 7 days ago, dead letters too: their arguments have no further use."""
    return {"deleted": OLD_TASKS.delete()}


@periodic("prune_idempotent_writes", every=timedelta(hours=1), due=(OLD_WRITES,))
def prune_idempotent_writes() -> dict[str, int]:
    """Forget by which key something was written more than 24 hours ago: no phone tries for so long."""
    return {"deleted": OLD_WRITES.delete()}


@periodic("prune_admin_sessions", every=timedelta(hours=24), due=(ENDED_ADMIN_SESSIONS,))
def prune_admin_sessions() -> dict[str, int]:
    """Delete sessions of the admin site that have run out."""
    return {"deleted": ENDED_ADMIN_SESSIONS.delete()}


@periodic("prune_audit", every=timedelta(hours=24), due=(OLD_AUDIT_EVENTS, OLD_ADMIN_HISTORY))
def prune_audit() -> dict[str, int]:
    """Forget what was done more than AUDIT_RETENTION_DAYS ago, and the admin site's own history of then."""
    forgotten = 0
    while batch := forget_audit_events():
        forgotten += batch
    return {"deleted": forgotten, "history": OLD_ADMIN_HISTORY.delete()}


@transaction.atomic
def forget_audit_events() -> int:
    """Delete some of the oldest audit rows that are due, and record how many; 0 where none is.

    On PostgreSQL by the one function that may; it and the trigger refuse what is younger than 30 days.
    """
    days = settings.AUDIT_RETENTION_DAYS
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT forget_audit_events(%s, %s)", [days, AUDIT_BATCH])
            rows = int(cursor.fetchone()[0])
    else:
        rows = delete_some_at_a_time(old_audit_events())
    if rows:
        audit.record("audit_forgotten", changes={"rows": rows, "older_than_days": days})
    return rows
