"""Routes below ``/api/announcements/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from announcements.views import AnnouncementViewSet, ReadersViewSet

app_name = "announcements"
router = SimpleRouter(use_regex_path=False)
router.register("announcements", AnnouncementViewSet, "announcement")
readers = ReadersViewSet.as_view({"get": "list"})
urlpatterns = [
    *router.urls,
    path("announcements/<id:pk>/acknowledgements/", readers, name="announcement-acknowledgements"),
]
