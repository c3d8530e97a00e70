"""What the platform itself forgets, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.periodic import periodic

KEEP_TASKS_DAYS: Final = 7


@periodic("prune_tasks", every=timedelta(hours=24))
def prune_tasks() -> dict[str, int]:
    """Delete tasks that ended more than 7 days ago: their arguments have no further use."""
    before = timezone.now() - timedelta(days=KEEP_TASKS_DAYS)
    deleted, _ = DBTaskResult.objects.finished().filter(finished_at__lt=before).delete()
    return {"deleted": deleted}
