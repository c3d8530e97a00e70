"""The platform's own tables at the admin site, and what the pages of other apps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin

from core.models import AuditEvent, PeriodicRun, Upload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from users.models import User


def actor(request: HttpRequest) -> User:
    """Return who sits at the admin site; its gate lets nobody in who is not signed in."""
    return cast("User", request.user)


class LookOnly:
    """Rows that the product alone writes."""

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class TakesAlong(admin.ModelAdmin):
    """Whoever may delete a row here may delete what goes with it, even where that is to look at only."""

    def get_deleted_objects(self, objs: QuerySet[Model] | Sequence[Model], request: HttpRequest) -> Any:
        deleted, counts, denied, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, denied & {self.opts.verbose_name}, protected


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["at", "action", "actor_id", "object_type", "object_id", "request_id"]
    list_filter = ["action", "object_type"]
    search_fields = ["=action", "=object_id", "=request_id"]
    search_help_text = "An action, an object's id or a request's id."
    date_hierarchy = "at"
    show_full_result_count = False


@admin.register(Upload)
class UploadAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["filename", "owner", "size", "mime_type", "state", "created_at"]
    list_filter = ["state", "mime_type"]
    search_fields = ["filename", "key", "owner__email"]
    list_select_related = ["owner"]
    date_hierarchy = "created_at"


@admin.register(PeriodicRun)
class PeriodicRunAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["name", "due_at", "last_result"]
