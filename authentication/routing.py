"""Socket paths of one person: their session, and their inbox."""

from django.urls import re_path

from authentication.inbox import InboxConsumer
from authentication.websocket import SessionConsumer

websocket_urlpatterns = [
    re_path(r"^ws/session/?$", SessionConsumer.as_asgi()),
    re_path(r"^ws/notifications/?$", InboxConsumer.as_asgi()),
]
