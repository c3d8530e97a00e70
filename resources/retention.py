"""What the resources forget."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from core.forgetting import Old
from core.periodic import periodic
from resources.models import ResourceDownload

if TYPE_CHECKING:
    from django.db.models import QuerySet

KEEP_DOWNLOADS_DAYS: Final = 2


def old_downloads() -> QuerySet[ResourceDownload]:
    return ResourceDownload.objects.filter(hour__lt=timezone.now() - timedelta(days=KEEP_DOWNLOADS_DAYS))


OLD_DOWNLOADS: Final = Old("downloads of resources", old_downloads, by="hour")


@periodic("prune_resource_downloads", every=timedelta(hours=1), due=(OLD_DOWNLOADS,))
def prune_resource_downloads() -> dict[str, int]:
    """Forget who opened what more than 2 days ago: it was counted, and counts no second time."""
    return {"deleted": OLD_DOWNLOADS.delete()}
