"""Socket paths of sign-in."""

from django.urls import re_path

from authentication.websocket import SessionConsumer, UnknownPathConsumer

websocket_urlpatterns = [
    re_path(r"^ws/session/?$", SessionConsumer.as_asgi()),
    re_path(r"", UnknownPathConsumer.as_asgi()),
]
