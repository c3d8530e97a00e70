"""Announcements and who has read them, at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models

from announcements.models import Acknowledgement, Announcement
from core.admin import LookOnly, TakesAlong

if TYPE_CHECKING:
    from django.http import HttpRequest

    from announcements.models import AnnouncementQuerySet


class StateFilter(admin.SimpleListFilter):
    """Scheduled, published or expired, at this moment."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Announcement.State.choices

    def queryset(self, request: HttpRequest, queryset: AnnouncementQuerySet) -> AnnouncementQuerySet:  # type: ignore[override]
        value = self.value()
        return queryset.in_state(value) if value in Announcement.State.values else queryset


@admin.register(Announcement)
class AnnouncementAdmin(TakesAlong):
    list_display = ["title", "audience", "shown_state", "pinned", "appears_at", "expires_at", "author"]
    list_filter: ClassVar = [StateFilter, "audience", "pinned"]
    search_fields = ["title", "summary", "content"]
    fields: ClassVar = [
        *("title", "summary", "content", "author", "audience", "link"),
        *("pinned", "publish_at", "expires_at", "created_at", "updated_at"),
    ]
    readonly_fields = ["created_at", "updated_at"]
    date_hierarchy = "created_at"
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    @admin.display(description="state")
    def shown_state(self, announcement: Announcement) -> str:
        return announcement.state.label


@admin.register(Acknowledgement)
class AcknowledgementAdmin(LookOnly, admin.ModelAdmin):
    """Each is its reader's own word."""

    list_display = ["announcement", "user", "acknowledged_at"]
    list_select_related = ["announcement", "user"]
    search_fields = ["announcement__title", "user__email", "user__last_name"]
    date_hierarchy = "acknowledged_at"
