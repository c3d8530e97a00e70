"""How far people have read, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.models import ReadCursor
from chat.serializers.messages import LARGEST_BIGINT, AuthorSerializer


class ReadUpToSerializer(serializers.Serializer[dict[str, int]]):
    """Up to where; left out: to the end."""

    seq = serializers.IntegerField(
        min_value=0, max_value=LARGEST_BIGINT, required=False, allow_null=True, default=None
    )


class ReaderField(AuthorSerializer):
    """Somebody of the group, by id and name."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="display_name")


class ReadCursorSerializer(serializers.ModelSerializer[ReadCursor]):
    """How far somebody has read: the `seq` of the last message."""

    user = ReaderField(read_only=True)
    readAt = serializers.DateTimeField(source="read_at", read_only=True)  # noqa: N815

    class Meta:
        model = ReadCursor
        fields = ["user", "seq", "readAt"]
        read_only_fields = fields


class ReadersSerializer(serializers.Serializer[dict[str, Any]]):
    """How far each has read."""

    readers = ReadCursorSerializer(many=True)
