"""What the pages of conversations share: words are not shown, and cannot be asked for either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.admin import LookOnly, Narrowed, actor

if TYPE_CHECKING:
    from django.http import HttpRequest


class Withheld(LookOnly, Narrowed):
    """Rows that hold words of minors."""

    show_full_result_count = False

    def has_platform_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only platform admins judge what was said, or read it."""
        return actor(request).is_platform_admin
