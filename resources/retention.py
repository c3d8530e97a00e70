"""What the resources forget."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from core.periodic import periodic
from resources.models import ResourceDownload

KEEP_DOWNLOADS_DAYS: Final = 2


@periodic("prune_resource_downloads", every=timedelta(hours=1))
def prune_resource_downloads() -> dict[str, int]:
    """Forget who opened what more than 2 days ago: it was counted, and counts no second time."""
    before = timezone.now() - timedelta(days=KEEP_DOWNLOADS_DAYS)
    deleted, _ = ResourceDownload.objects.filter(hour__lt=before).delete()
    return {"deleted": deleted}
