"""Routes below ``/api/events/``, and one's own calendar feed."""

from django.urls import path

import core.converters  # noqa: F401 - registers <id:...>
from core.negotiation import WhateverIsAccepted
from events.views.calendars import MyCalendarView
from events.views.events import EventViewSet
from events.views.roster import attendance, export, roster, waiting
from events.views.seats import RegisterView, WaitlistView

EVENT = "events/<id:pk>"
calendar = EventViewSet.as_view(
    {"get": "calendar"}, detail=True, content_negotiation_class=WhateverIsAccepted
)

app_name = "events"
urlpatterns = [
    path("events/", EventViewSet.as_view({"get": "list", "post": "create"}), name="event-list"),
    path(
        f"{EVENT}/",
        EventViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, detail=True
        ),
        name="event-detail",
    ),
    path(
        f"{EVENT}/cover/",
        EventViewSet.as_view({"put": "cover"}, detail=True, **EventViewSet.cover.kwargs),
        name="event-update-cover",
    ),
    path(f"{EVENT}/register/", RegisterView.as_view(), name="event-register"),
    path(f"{EVENT}/waitlist/", WaitlistView.as_view(), name="event-waitlist"),
    path(f"{EVENT}/roster/", roster, name="event-roster"),
    path(f"{EVENT}/roster/waiting/", waiting, name="event-roster-waiting"),
    path(f"{EVENT}/roster/export/", export, name="event-roster-export"),
    path(f"{EVENT}/attendance/", attendance, name="event-attendance"),
    path(f"{EVENT}/calendar.ics", calendar, name="event-calendar"),
    path("users/me/calendar/", MyCalendarView.as_view(), name="my-calendar"),
]
