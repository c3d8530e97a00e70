"""Routes about groups below ``/api/admin/``."""

from django.urls import path

from groups.views import StatsView

app_name = "groups"
admin_urlpatterns = [path("stats/", StatsView.as_view(), name="stats")]
