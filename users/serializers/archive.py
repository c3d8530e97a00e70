"""The state of a person's own archive."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.serializers import PlainBooleanField, WireModelSerializer
from users.models import DataArchive


class ArchiveOnItsWaySerializer(WireModelSerializer[DataArchive]):
    """That the ZIP is on its way."""

    detail = serializers.SerializerMethodField()

    class Meta:
        model = DataArchive
        fields = ["state", "requestedAt", "detail"]
        read_only_fields = ["state", "requestedAt"]

    def get_detail(self, archive: DataArchive) -> str:
        return "Your data is being put together. Ask again in a few seconds."


class ArchiveQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """How it is asked for."""

    fresh = PlainBooleanField(default=False, help_text="True: have another one made.")
