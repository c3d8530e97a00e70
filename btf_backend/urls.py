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
from core.routes import RememberedRoutes
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
api_urlpatterns = [
    path("", include("core.urls")),
    path("auth/", include("authentication.urls")),
    path("ws/ticket/", TicketView.as_view(), name="socket-ticket"),
    path("users/", include("users.urls")),
    path("", include("events.urls")),
    path("", include("groups.urls")),
    path("", include("chat.urls")),
    path("", include("announcements.urls")),
    path("", include("resources.urls")),
    path("notifications/", include("core.inbox.urls")),
    path("mail/webhooks/", include(mail_webhooks())),
    path("admin/", include((admin_urlpatterns, "admin_panel"))),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("schema/sockets/", SocketsSchemaView.as_view(), name="sockets-schema"),
    path("docs/", SwaggerView.as_view(url_name="schema"), name="docs"),
    path("redoc/", RedocView.as_view(url_name="schema"), name="redoc"),
]
urlpatterns = [
    RememberedRoutes("api/", api_urlpatterns),
    re_path(r"^api(?:/|$)", unknown_path, name="unknown-path"),
    path("media/<str:token>/<path:key>", FileView.as_view(), name="file"),
    path("calendar/<slug:token>.ics", FeedView.as_view(), name="calendar-feed"),
    path("auth/verify", BridgeView.as_view(), name="bridge"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
if settings.DEBUG:
    urlpatterns += [path("", welcome)]
