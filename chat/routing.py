"""Sockets of conversations."""

from django.urls import re_path

from chat.consumers import GroupChatConsumer

websocket_urlpatterns = [re_path(r"^ws/chat/groups/(?P<group_id>[^/]+)/?$", GroupChatConsumer.as_asgi())]
