"""Sockets of conversations."""

from django.urls import re_path

from chat.consumers import GroupChatConsumer
from groups.converters import GroupIdConverter

ID = GroupIdConverter.regex
websocket_urlpatterns = [re_path(rf"^ws/chat/groups/(?P<group_id>{ID})/?$", GroupChatConsumer.as_asgi())]
