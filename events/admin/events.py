"""Events at the admin site: written by the same services as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import Http404
from django.urls import reverse

from core import audit
from core.admin import TakesAlong, actor
from core.admin.covers import CoverAdmin
from core.admin.exporting import export_or_back
from core.admin.filters import ListedFilter
from core.admin.importing import BySheet
from core.admin.library import button
from core.admin.proof import with_fresh_proof
from core.spreadsheets import CsvResponse
from events.admin.forms import TIMES, EventForm, WallClockField, clock_of
from events.admin.sheets import EventSheet
from events.models import Event
from events.services.events import change_event, create_event, delete_event
from events.services.roster import export_roster

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from users.models import User


class EventOverFilter(ListedFilter):
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


# What stands in the place of the fields where nobody may write.
LOOKED_AT: Final = dict(zip(TIMES, ("starts", "ends"), strict=True))


@admin.register(Event)
class EventAdmin(BySheet, CoverAdmin, TakesAlong):
    form = EventForm
    recorded_by_services = True
    resource_class = EventSheet
    list_display = ["title", "date", "time", "location", "type", "seats", "waiting"]
    list_filter = [EventOverFilter, "type"]
    search_fields = ["title", "description", "location"]
    fields = [
        *("title", "description", "long_description", ("date", "time"), "start_at", "end_at"),
        *("timezone", "location", "type", "register_link", "capacity", "cover", "current_cover"),
        *("created_at", "updated_at"),
    ]
    readonly_fields = ["created_at", "updated_at", *LOOKED_AT.values()]
    date_hierarchy = "date"
    actions_detail: ClassVar = ["download_roster"]
    formfield_overrides = {
        models.URLField: {"assume_scheme": "https"},
        models.DateTimeField: {"form_class": WallClockField},
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return Event.objects.with_seats(actor(request))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the programme's zone, which the import gives to rows that name none."""
        return {"timezone": settings.PROGRAMME_TIME_ZONE, **super().get_changeform_initial_data(request)}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return names
        return [LOOKED_AT.get(name, name) if isinstance(name, str) else name for name in names]

    @admin.display(description="start")
    def starts(self, event: Event) -> str:
        return clock_of(event, event.start_at)

    @admin.display(description="end")
    def ends(self, event: Event) -> str:
        return clock_of(event, event.end_at)

    @admin.display(description="seats taken", ordering="registration_count")
    def seats(self, event: Any) -> str:
        return str(event.registration_count) + (f" of {event.capacity}" if event.capacity else "")

    @admin.display(description="waiting", ordering="waitlist_count")
    def waiting(self, event: Any) -> int:
        return int(event.waitlist_count)

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write what was changed: seats that this makes free go to those who wait."""
        by, names = actor(request), form.changed_data if change else form.cleaned_data
        values = {name: form.cleaned_data[name] for name in names if name != "cover"}
        written = change_event(obj.pk, by=by, values=values) if change else create_event(by=by, **values)
        obj.pk = written.pk
        self.save_cover(request, obj, form)

    def delete_model(self, request: HttpRequest, obj: Event) -> None:
        delete_event(obj.pk, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        for pk in queryset.order_by("pk").values_list("pk", flat=True):
            delete_event(pk, by=actor(request))

    def record_export(self, *, by: User, rows: int) -> None:
        audit.record("events_exported", actor=by, changes={"rows": rows})

    def has_roster_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return actor(request).is_platform_admin

    @button(description="Download who comes", permissions=["roster"], icon="download", url_path="roster")
    @with_fresh_proof
    def download_roster(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Answer with the roster of the API, which is recorded."""
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404

        def make() -> CsvResponse:
            return CsvResponse(f"event-{event.pk}-roster.csv", export_roster(event, by=actor(request)))

        return export_or_back(self, request, make, back=reverse("admin:events_event_change", args=[event.pk]))
