"""Routes below ``/api/notifications/``."""

from django.urls import path

from core.inbox.pages import UnsubscribeView
from core.inbox.views import InboxViewSet, PreferencesView

app_name = "notifications"
urlpatterns = [
    path("", InboxViewSet.as_view({"get": "list"}), name="notification-list"),
    path("unread/", InboxViewSet.as_view({"get": "unread"}), name="notification-unread"),
    path("read/", InboxViewSet.as_view({"post": "read_many"}), name="notification-read-many"),
    path("<id:pk>/read/", InboxViewSet.as_view({"post": "read_one"}, detail=True), name="notification-read"),
    path("preferences/", PreferencesView.as_view(), name="preferences"),
    path("unsubscribe/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe"),
]
