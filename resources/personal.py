"""What the resources hold of a person, and which uploads they need, whoever uploaded them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from core.uploads.erasure import uploads_named_in
from resources.models import Resource, ResourceDownload

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield which resources the person opened lately, and in which hour."""
    rows = ResourceDownload.objects.filter(user=user).select_related("resource")
    yield (
        "downloads",
        [
            {"resourceId": row.resource_id, "title": row.resource.title, "hour": row.hour}
            for row in rows.order_by("hour", "pk")
        ],
    )


def named_files(keys: Collection[str], /) -> set[str]:
    """Return those of the keys that a resource names, also where its row was made by hand."""
    rows = Resource.objects.filter(Q(file_url__in=keys) | Q(cover_image__in=keys))
    return {key for pair in rows.values_list("file_url", "cover_image") for key in pair if key}


def needed_uploads(ids: Collection[int], /) -> set[int]:
    """Return those of the uploads that are the file or the cover of a resource."""
    return uploads_named_in(Resource.objects.all(), "file_url", "cover_image", ids=ids)
