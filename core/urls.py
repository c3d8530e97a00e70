"""Routes of the platform, below ``/api/``."""

from django.urls import path

from core.views import HealthView, LiveView

app_name = "core"
urlpatterns = [
    path("health/", HealthView.as_view(), name="health_check"),
    path("health/live/", LiveView.as_view(), name="health_live"),
]
