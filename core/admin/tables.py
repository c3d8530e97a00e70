"""The platform's own tables at the admin site."""

from django.contrib import admin

from core.admin.house import LookOnly
from core.models import AuditEvent, PeriodicRun, Upload


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
    list_display = ["name", "due_at", "running_until", "last_result"]
