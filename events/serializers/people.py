"""Who comes, on the wire: for the person themselves, and for admins."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.converters import IdConverter
from core.roles import Role
from core.serializers import PlainBooleanField, WireModelSerializer
from events.models import EventRegistration


class DoneSerializer(serializers.Serializer[dict[str, Any]]):
    """It worked."""

    success = serializers.BooleanField()
    message = serializers.CharField(help_text="One sentence for the user.")


class PersonRowSerializer(WireModelSerializer[EventRegistration]):
    """Somebody in a list about an event."""

    userId = serializers.IntegerField(source="user_id")  # noqa: N815
    name = serializers.CharField(source="user.name")
    email = serializers.EmailField(source="user.email")
    role = serializers.ChoiceField(source="user.role", choices=Role.choices)
    track = serializers.CharField(source="user.track")


class RosterRowSerializer(PersonRowSerializer):
    """Somebody who has a seat."""

    class Meta:
        model = EventRegistration
        fields = ["userId", "name", "email", "role", "track", "registeredAt", "attendedAt"]
        read_only_fields = fields


class WaitingRowSerializer(PersonRowSerializer):
    """Somebody who waits for one."""

    waitingSince = serializers.DateTimeField(source="waiting_since")  # noqa: N815

    class Meta:
        model = EventRegistration
        fields = ["userId", "name", "email", "role", "track", "waitingSince"]
        read_only_fields = fields


class AttendanceSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether somebody came."""

    userId = serializers.IntegerField(  # noqa: N815
        source="user_id", min_value=1, max_value=IdConverter.LARGEST, help_text="Somebody who has a seat."
    )
    attended = PlainBooleanField()


class CalendarSerializer(serializers.Serializer[dict[str, Any]]):
    """The address of one's own calendar feed."""

    url = serializers.URLField(
        allow_null=True, help_text="Secret: whoever has it reads the calendar. Null: there is none to show."
    )
    createdAt = serializers.DateTimeField(allow_null=True, help_text="Null: there is no feed.")  # noqa: N815
