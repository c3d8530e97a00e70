"""Reports of messages on the wire."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.models import MessageReport
from chat.rendering import author_of, person
from chat.serializers.messages import AuthorSerializer
from core.serializers import PlainBooleanField, StrictCharField, WireModelSerializer


class NewReportSerializer(WireModelSerializer[MessageReport]):
    """Why a message is reported."""

    note = StrictCharField(max_length=2000, allow_blank=True, required=False)

    class Meta:
        model = MessageReport
        fields = ["category", "note"]


class OwnReportSerializer(WireModelSerializer[MessageReport]):
    """What one has reported."""

    class Meta:
        model = MessageReport
        fields = ["id", "category", "note", "createdAt"]
        read_only_fields = fields


class ReportedMessageSerializer(serializers.Serializer[Any]):
    """The message that was reported, as moderators read it."""

    id = serializers.IntegerField()
    groupId = serializers.CharField(source="group_id")  # noqa: N815
    author = serializers.SerializerMethodField()
    text = serializers.CharField()
    timestamp = serializers.DateTimeField(source="created_at")
    isDeleted = serializers.BooleanField(source="is_deleted")  # noqa: N815

    @extend_schema_field(AuthorSerializer)
    def get_author(self, message: Any) -> dict[str, Any]:
        return author_of(message)


class ReportSerializer(WireModelSerializer[MessageReport]):
    """A report as moderators read it: who told is for platform admins alone."""

    message = ReportedMessageSerializer(read_only=True)
    reporter = serializers.SerializerMethodField()

    class Meta:
        model = MessageReport
        fields = [
            *("id", "category", "note", "createdAt", "resolvedAt", "reporter", "message", "reportedText"),
        ]
        read_only_fields = fields

    @extend_schema_field(AuthorSerializer(allow_null=True))
    def get_reporter(self, report: MessageReport) -> dict[str, Any] | None:
        tells = self.context["viewer"].is_platform_admin and report.reporter
        return person(report.reporter) if tells and report.reporter else None


class SettleSerializer(serializers.Serializer[dict[str, bool]]):
    """Whether it is dealt with."""

    resolved = PlainBooleanField()
