"""Events and who comes, at the admin site: written by the same services as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models

from core.admin import LookOnly, TakesAlong, actor
from events.models import Event, EventRegistration
from events.services.events import change_event, create_event, delete_event

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class EventOverFilter(admin.SimpleListFilter):
    """Events that are over, each by the clock of its own zone."""

    title, parameter_name = "over", "over"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        ahead = queryset.model.objects.upcoming().values("pk")
        match self.value():
            case "no":
                return queryset.filter(pk__in=ahead)
            case "yes":
                return queryset.exclude(pk__in=ahead)
        return queryset


@admin.register(Event)
class EventAdmin(TakesAlong):
    recorded_by_services = True
    list_display = ["title", "date", "time", "location", "type", "seats", "waiting"]
    list_filter = [EventOverFilter, "type"]
    search_fields = ["title", "description", "location"]
    fields = [
        *("title", "description", "long_description", ("date", "time"), ("start_at", "end_at", "timezone")),
        *("location", "type", "register_link", "capacity", "created_at", "updated_at"),
    ]
    readonly_fields = ["created_at", "updated_at"]
    date_hierarchy = "date"
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return Event.objects.with_seats(actor(request))

    @admin.display(description="seats taken", ordering="registration_count")
    def seats(self, event: Any) -> str:
        return str(event.registration_count) + (f" of {event.capacity}" if event.capacity else "")

    @admin.display(description="waiting", ordering="waitlist_count")
    def waiting(self, event: Any) -> int:
        return int(event.waitlist_count)

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write what was changed: seats that this makes free go to those who wait."""
        by, names = actor(request), form.changed_data if change else form.cleaned_data
        values = {name: form.cleaned_data[name] for name in names}
        obj.pk = (change_event(obj.pk, by=by, values=values) if change else create_event(by=by, **values)).pk

    def delete_model(self, request: HttpRequest, obj: Event) -> None:
        delete_event(obj.pk, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        for pk in queryset.order_by("pk").values_list("pk", flat=True):
            delete_event(pk, by=actor(request))


class WaitingFilter(admin.SimpleListFilter):
    """Shows those who wait instead of those who have a seat."""

    title, parameter_name = "waiting", "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes, for a seat")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[EventRegistration]) -> Any:
        return queryset.exclude(waiting_since=None) if self.value() else queryset


@admin.register(EventRegistration)
class EventRegistrationAdmin(LookOnly, admin.ModelAdmin):
    """Seats are counted where people register, so none is given here."""

    list_display = ["event", "user", "registered_at", "waiting_since", "attended_at"]
    list_filter = [WaitingFilter]
    list_select_related = ["event", "user"]
    search_fields = ["event__title", "user__email", "user__last_name"]
    date_hierarchy = "registered_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventRegistration]:
        return EventRegistration.everything.all()
