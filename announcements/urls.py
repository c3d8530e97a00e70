"""Routes below ``/api/announcements/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from announcements.views.announcements import AnnouncementViewSet, ReadersViewSet
from announcements.views.mail import MailView, TestMailView

app_name = "announcements"
router = SimpleRouter(use_regex_path=False)
router.register("announcements", AnnouncementViewSet, "announcement")
readers = ReadersViewSet.as_view({"get": "list"})
urlpatterns = [
    *router.urls,
    path("announcements/<id:pk>/acknowledgements/", readers, name="announcement-acknowledgements"),
    path("announcements/<id:pk>/mail/", MailView.as_view(), name="announcement-mail"),
    path("announcements/<id:pk>/mail/test/", TestMailView.as_view(), name="announcement-mail-test"),
]
