"""Routes of conversations; the contract has those of messages without a last slash."""

from django.urls import path
from rest_framework.routers import SimpleRouter

import groups.converters  # noqa: F401 - registers <group:...>
from chat.views.finding import MentionsView, SearchView
from chat.views.messages import MessagesView, MessageView
from chat.views.reactions import ReactionView
from chat.views.reading import ReadView
from chat.views.reports import AllReportsViewSet, GroupReportsViewSet, ReportMessageView

GROUP = "groups/<group:group_id>"
MESSAGE = f"{GROUP}/messages/<id:message_id>"

app_name = "chat"
urlpatterns = [
    path(f"{GROUP}/messages", MessagesView.as_view(), name="group-messages"),
    path(MESSAGE, MessageView.as_view(), name="group-message-detail"),
    path(f"{MESSAGE}/reactions/<str:sign>", ReactionView.as_view(), name="group-message-reaction"),
    path(f"{MESSAGE}/report", ReportMessageView.as_view(), name="group-message-report"),
    path(f"{GROUP}/read", ReadView.as_view(), name="group-read"),
    path(f"{GROUP}/reports/", GroupReportsViewSet.as_view({"get": "list"}), name="group-reports"),
    path(
        f"{GROUP}/reports/<id:pk>/",
        GroupReportsViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="group-report-detail",
    ),
    path("messages/search/", SearchView.as_view(), name="message-search"),
    path("mentions/", MentionsView.as_view(), name="mentions"),
]

admin_router = SimpleRouter(use_regex_path=False)
admin_router.register("message-reports", AllReportsViewSet, "message-report")
admin_urlpatterns = admin_router.urls
