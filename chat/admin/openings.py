"""Who opened what was said, and why: for platform admins to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from chat.admin.withheld import Withheld
from chat.models import TextOpening

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(TextOpening)
class TextOpeningAdmin(Withheld):
    narrowed_by = frozenset({"actor_id", "message_id", "group_id", "opened_at"})
    list_display = ["opened_at", "actor_id", "message_id", "group_id", "reason"]
    search_fields = ["=message_id", "=group_id", "=actor_id"]
    search_help_text = "The id of a message, a group or a person."
    date_hierarchy = "opened_at"
    ordering = ["-opened_at", "-id"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_platform_permission(request) and super().has_view_permission(request, obj)
