"""Announcements and who has read them, at the admin site: written by the same services as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models

from announcements.admin.mail import MailsFromAPage
from announcements.models import Acknowledgement, Announcement
from announcements.services.announcements import change_announcement, create_announcement, delete_announcement
from core.admin import LookOnly, Narrowed, OfAPerson, actor
from core.admin.filters import ListedFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from announcements.models import AnnouncementQuerySet


class StateFilter(ListedFilter):
    """Scheduled, published or expired, at this moment."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Announcement.State.choices

    def queryset(self, request: HttpRequest, queryset: AnnouncementQuerySet) -> AnnouncementQuerySet:  # type: ignore[override]
        value = self.value()
        return queryset.in_state(value) if value else queryset


@admin.register(Announcement)
class AnnouncementAdmin(MailsFromAPage):
    recorded_by_services = True
    list_display = ["title", "audience", "shown_state", "pinned", "appears_at", "expires_at", "author"]
    list_filter: ClassVar = [StateFilter, "audience", "pinned"]
    search_fields = ["title", "summary", "content"]
    fields: ClassVar = [
        *("title", "summary", "content", "author", "audience", "link"),
        *("pinned", "publish_at", "expires_at", "told_at", "mail_requested_at", "created_at", "updated_at"),
    ]
    readonly_fields = ["told_at", "mail_requested_at", "created_at", "updated_at"]
    date_hierarchy = "created_at"
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    @admin.display(description="state")
    def shown_state(self, announcement: Announcement) -> str:
        return announcement.state.label

    def save_model(self, request: HttpRequest, obj: Announcement, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write what was changed."""
        by, sent = actor(request), form.cleaned_data
        if change:
            change_announcement(obj, by=by, values={name: sent[name] for name in form.changed_data})
        else:
            obj.pk = create_announcement(by=by, **sent).pk

    def delete_model(self, request: HttpRequest, obj: Announcement) -> None:
        delete_announcement(obj, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        for announcement in queryset.order_by("pk"):
            delete_announcement(announcement, by=actor(request))


@admin.register(Acknowledgement)
class AcknowledgementAdmin(LookOnly, OfAPerson, Narrowed):
    """Each is its reader's own word."""

    list_display = ["announcement", "person", "acknowledged_at"]
    list_select_related = ["announcement", "user"]
    search_fields = ["announcement__title", "user__email", "user__last_name"]
    date_hierarchy = "acknowledged_at"
