"""What the platform itself forgets, and what it takes up again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.models import IdempotentWrite
from core.periodic import periodic

KEEP_TASKS_DAYS: Final = 7
KEEP_WRITES_HOURS: Final = 24
# Longer than any task of that queue may run; a sign-in mail is of no use later.
LOST_AFTER: Final = {"sign-in": timedelta(minutes=1), "default": timedelta(minutes=15)}


@periodic("prune_tasks", every=timedelta(hours=24))
def prune_tasks() -> dict[str, int]:
    """Delete tasks that ended more than 7 days ago: their arguments have no further use."""
    before = timezone.now() - timedelta(days=KEEP_TASKS_DAYS)
    deleted, _ = DBTaskResult.objects.finished().filter(finished_at__lt=before).delete()
    return {"deleted": deleted}


@periodic("prune_idempotent_writes", every=timedelta(hours=1))
def prune_idempotent_writes() -> dict[str, int]:
    """Forget by which key something was written more than 24 hours ago: no phone tries for so long."""
    before = timezone.now() - timedelta(hours=KEEP_WRITES_HOURS)
    deleted, _ = IdempotentWrite.objects.filter(created_at__lt=before).delete()
    return {"deleted": deleted}


@periodic("requeue_lost_tasks", every=timedelta(minutes=1))
def requeue_lost_tasks() -> dict[str, int]:
    """Make tasks ready again whose worker was killed: they would stay "running" for ever.

    A task that is not lost but slow is run twice: each is safe to repeat, or mails at most one
    mail more.
    """
    now, requeued = timezone.now(), 0
    for queue, patience in LOST_AFTER.items():
        lost = DBTaskResult.objects.running().filter(queue_name=queue, started_at__lt=now - patience)
        requeued += lost.update(status=TaskResultStatus.READY, started_at=None)
    return {"requeued": requeued}
