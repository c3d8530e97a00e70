"""The programme in numbers, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class TrackSerializer(serializers.Serializer[dict[str, str]]):
    """Query parameters of the programme's numbers."""

    track = serializers.CharField(
        default="", allow_blank=True, help_text="A track, in any case; blank or `global` is every one."
    )


class MentorNumbersSerializer(serializers.Serializer[dict[str, Any]]):
    """How many mentors."""

    total = serializers.IntegerField(source="mentors", help_text="All who are not pending.")
    active = serializers.IntegerField(source="mentors_active")
    pending = serializers.IntegerField(source="mentors_pending")


class StudentNumbersSerializer(serializers.Serializer[dict[str, Any]]):
    """How many students."""

    total = serializers.IntegerField(source="students", help_text="All who are not pending.")
    pending = serializers.IntegerField(source="students_pending")


class ProgrammeNumbersSerializer(serializers.Serializer[dict[str, Any]]):
    """The programme in numbers."""

    totalUsers = serializers.IntegerField(  # noqa: N815
        source="total_users", help_text="All who are not pending."
    )
    activeGroups = serializers.IntegerField(source="active_groups")  # noqa: N815
    mentors = MentorNumbersSerializer(source="*")
    students = StudentNumbersSerializer(source="*")
