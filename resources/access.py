"""Who may open the stored files of resources: asked at each click of a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.models import Resource

if TYPE_CHECKING:
    from users.models import User


def may_open_file(viewer: User, key: str, /) -> bool:
    """Tell whether somebody sees a resource whose file this is, now."""
    return Resource.objects.visible_to(viewer).filter(file_url=key).exists()


def may_open_cover(viewer: User, key: str, /) -> bool:
    """Tell whether somebody sees a resource whose cover this is, now."""
    return Resource.objects.visible_to(viewer).filter(cover_image=key).exists()
