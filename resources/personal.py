"""Which uploads the resources need, whoever uploaded them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.uploads.erasure import uploads_named_in
from resources.models import Resource

if TYPE_CHECKING:
    from collections.abc import Collection


def needed_uploads(ids: Collection[int], /) -> set[int]:
    """Return those of the uploads that are the file or the cover of a resource."""
    return uploads_named_in(Resource.objects.all(), "file_url", "cover_image", ids=ids)
