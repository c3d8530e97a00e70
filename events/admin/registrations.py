"""Who comes to events, and who waits, at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from core.admin import LookOnly, Narrowed, OfAPerson
from core.admin.filters import ListedFilter
from events.models import EventRegistration

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class WaitingFilter(ListedFilter):
    """Shows those who wait instead of those who have a seat."""

    title, parameter_name = "waiting", "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes, for a seat")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[EventRegistration]) -> Any:
        return queryset.exclude(waiting_since=None) if self.value() else queryset


@admin.register(EventRegistration)
class EventRegistrationAdmin(LookOnly, OfAPerson, Narrowed):
    """Seats are counted where people register, so none is given here."""

    list_display = ["event", "person", "registered_at", "waiting_since", "attended_at"]
    list_filter = [WaitingFilter]
    list_select_related = ["event", "user"]
    search_fields = ["event__title", "user__email", "user__last_name"]
    date_hierarchy = "registered_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventRegistration]:
        return EventRegistration.everything.all()
