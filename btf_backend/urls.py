"""Every public prefix on one screen."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

import chat.urls
import core.urls
import groups.urls
import users.urls
from authentication.bridge import BridgeView
from authentication.views import TicketView
from btf_backend.asyncapi_view import SocketsSchemaView
from btf_backend.console.views import TrendsView
from core.docs import RedocView, SchemaView, SwaggerView
from core.inbox.webhooks import mail_webhooks
from core.media.views import FileView
from core.views import unknown_path, welcome
from core.watching.views import metrics
from events.views.calendars import FeedView

admin_urlpatterns = [
    *users.urls.admin_urlpatterns,
    *groups.urls.admin_urlpatterns,
    *chat.urls.admin_urlpatterns,
    *core.urls.admin_urlpatterns,
    path("stats/trends/", TrendsView.as_view(), name="trends"),
]
urlpatterns = [
    path("api/", include("core.urls")),
    path("api/auth/", include("authentication.urls")),
    path("api/ws/ticket/", TicketView.as_view(), name="socket-ticket"),
    path("api/users/", include("users.urls")),
    path("api/", include("events.urls")),
    path("api/", include("groups.urls")),
    path("api/", include("chat.urls")),
    path("api/", include("announcements.urls")),
    path("api/", include("resources.urls")),
    path("api/notifications/", include("core.inbox.urls")),
    path("api/mail/webhooks/", include(mail_webhooks())),
    path("api/admin/", include((admin_urlpatterns, "admin_panel"))),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/schema/sockets/", SocketsSchemaView.as_view(), name="sockets-schema"),
    path("api/docs/", SwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/", RedocView.as_view(url_name="schema"), name="redoc"),
    re_path(r"^api(?:/|$)", unknown_path, name="unknown-path"),
    path("media/<str:token>/<path:key>", FileView.as_view(), name="file"),
    path("calendar/<slug:token>.ics", FeedView.as_view(), name="calendar-feed"),
    path("auth/verify", BridgeView.as_view(), name="bridge"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
if settings.DEBUG:
    urlpatterns += [path("", welcome)]
