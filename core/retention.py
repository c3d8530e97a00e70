"""What the platform itself forgets."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.models import IdempotentWrite
from core.periodic import periodic

KEEP_TASKS_DAYS: Final = 7
KEEP_WRITES_HOURS: Final = 24


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
