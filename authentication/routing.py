"""Socket paths of sign-in."""

from django.urls import re_path

from authentication.websocket import SessionConsumer

websocket_urlpatterns = [
    re_path(r"^ws/session/?$", SessionConsumer.as_asgi()),
]
