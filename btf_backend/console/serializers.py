"""What the console says on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class WeeksSerializer(serializers.Serializer[dict[str, int]]):
    """Query parameters of the trends."""

    weeks = serializers.IntegerField(
        default=12, min_value=1, max_value=104, help_text="How many, the running week included."
    )


class WeekSerializer(serializers.Serializer[dict[str, Any]]):
    """How much went on in one week."""

    week = serializers.DateField(help_text="Its Monday, in UTC.")
    signIns = serializers.IntegerField(source="sign_ins")  # noqa: N815
    newUsers = serializers.IntegerField(source="new_users")  # noqa: N815
    messages = serializers.IntegerField()
    registrations = serializers.IntegerField(help_text="For events.")


class TrendsSerializer(serializers.Serializer[dict[str, Any]]):
    """Week by week."""

    weeks = WeekSerializer(many=True, help_text="The oldest first, none left out.")
