"""The platform's own tables at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from core.admin.filters import ListedFilter, NeedsFilter
from core.admin.house import LookOnly, Narrowed
from core.audit_log.filters import ACTIONS
from core.models import AuditEvent, PeriodicRun, Upload
from core.uploads.quotas import FOLDER
from core.uploads.scanning import is_configured

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class ActionFilter(ListedFilter):
    """What was done; the choices are the product's, so that nobody reads the log for them."""

    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(action, action) for action in ACTIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class ObjectTypeFilter(ListedFilter):
    """To what kind of thing: those that have a page here."""

    title, parameter_name = "object type", "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        pages = sorted(model._meta.label_lower for model in admin.site._registry)  # noqa: SLF001 - no other way
        return [(label, label) for label in pages]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(object_type=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnly, Narrowed):
    list_display = ["at", "action", "actor_id", "object_type", "object_id", "request_id"]
    list_filter = [ActionFilter, ObjectTypeFilter]
    search_fields = ["=action", "=object_id", "=request_id"]
    search_help_text = "An action, an object's id or a request's id."
    date_hierarchy = "at"
    show_full_result_count = False


def quarantined(files: QuerySet[Upload]) -> QuerySet[Upload]:
    return files.filter(state=Upload.State.QUARANTINED)


def unscanned(files: QuerySet[Upload]) -> QuerySet[Upload]:
    """Files that nobody gets before a scanner has seen them; where there is no scanner, none."""
    waiting = files.filter(state=Upload.State.STORED, scanned_at=None)
    return waiting if is_configured() else files.none()


class FilesNeedFilter(NeedsFilter):
    """Files that are served to nobody."""

    rules: ClassVar = {
        "quarantined": ("In quarantine", quarantined),
        "unscanned": ("Not scanned yet", unscanned),
    }


@admin.register(Upload)
class UploadAdmin(LookOnly, Narrowed):
    """What a file of a conversation is called belongs to the conversation: it is not shown, nor searched."""

    narrowed_by = frozenset({"owner"})
    list_display = ["name", "owner", "size", "mime_type", "state", "created_at"]
    list_filter = [FilesNeedFilter, "state", "mime_type"]
    search_fields = ["=key", "owner__email"]
    search_help_text = "A name in the storage, or an owner's address."
    list_select_related = ["owner"]
    date_hierarchy = "created_at"
    fields: ClassVar = ["name", "key", "owner", "size", "mime_type", "state", "scanned_at", "created_at"]
    readonly_fields: ClassVar = ["name"]

    @admin.display(description="file name")
    def name(self, upload: Upload) -> str:
        is_said = upload.key.startswith(f"{FOLDER}/")
        return "(a file of a conversation)" if is_said else upload.filename


@admin.register(PeriodicRun)
class PeriodicRunAdmin(LookOnly, Narrowed):
    list_display = ["name", "due_at", "running_until", "last_result"]
