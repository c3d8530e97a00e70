"""Events and who comes, at the admin site."""

from django.contrib import admin
from django.db import models

from core.admin import LookOnly, TakesAlong
from events.models import Event, EventRegistration


@admin.register(Event)
class EventAdmin(TakesAlong):
    list_display = ["title", "date", "time", "location", "type", "capacity"]
    list_filter = ["type"]
    search_fields = ["title", "description", "location"]
    readonly_fields = ["created_at", "updated_at"]
    date_hierarchy = "date"
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


@admin.register(EventRegistration)
class EventRegistrationAdmin(LookOnly, admin.ModelAdmin):
    """Seats are counted where people register, so none is given here."""

    list_display = ["event", "user", "registered_at"]
    list_select_related = ["event", "user"]
    search_fields = ["event__title", "user__email", "user__last_name"]
    date_hierarchy = "registered_at"
