"""How often resources are opened: a person counts once an hour."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from resources.models import Resource, ResourceDownload

if TYPE_CHECKING:
    from users.models import User


def count_opened(viewer: User, key: str, /) -> None:
    """Count the resource whose file somebody has begun to read."""
    for resource in Resource.objects.visible_to(viewer).filter(file_url=key):
        count_download(resource, by=viewer)


def count_download(resource: Resource, *, by: User) -> None:
    """Count that somebody opens a resource: once a person and hour, however often at the same moment.

    Exact: the row of the hour and the count are committed together. Where person or resource go
    meanwhile, there is nothing to count.
    """
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    with suppress(IntegrityError), transaction.atomic():
        _, is_first = ResourceDownload.objects.get_or_create(resource=resource, user=by, hour=hour)
        if is_first:
            Resource.objects.filter(pk=resource.pk).update(download_count=F("download_count") + 1)
