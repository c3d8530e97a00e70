"""The groups that need attention, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from groups.models.health import SILENT_DAYS, Problem
from groups.serializers.numbers import TrackSerializer
from groups.serializers.people import PersonField
from groups.serializers.teams import ProgressSerializer


class GroupHealthQuerySerializer(TrackSerializer):
    """Query parameters of the groups that need attention."""

    silentDays = serializers.IntegerField(  # noqa: N815
        source="silent_days",
        default=SILENT_DAYS,
        min_value=1,
        max_value=365,
        help_text="After how many days without a message or a change of the plan a group is silent.",
    )
    problem = serializers.ChoiceField(
        choices=Problem.choices,
        default=None,
        help_text="Only groups with this problem; without it, those with any.",
    )


class GroupHealthSerializer(serializers.Serializer[dict[str, Any]]):
    """An active group that needs attention, and why; ``members`` is their number."""

    id = serializers.CharField(source="group.pk")
    name = serializers.CharField(source="group.name")
    track = serializers.CharField(source="group.track")
    status = serializers.CharField(source="group.status")
    members = serializers.IntegerField(source="group.member_count")
    mentor = PersonField(source="group.mentor", allow_null=True)
    progress = ProgressSerializer(source="group")
    isSilent = serializers.BooleanField(source="silent")  # noqa: N815
    withoutMentor = serializers.BooleanField(  # noqa: N815
        source="no_mentor", help_text="There is none, or they may not mentor any more."
    )
    hasOverdue = serializers.BooleanField(source="overdue")  # noqa: N815


class GroupHealthNumbersSerializer(serializers.Serializer[dict[str, int]]):
    """How many active groups of the track there are, and how many have each problem."""

    active = serializers.IntegerField()
    silent = serializers.IntegerField()
    withoutMentor = serializers.IntegerField(source="no_mentor")  # noqa: N815
    overdue = serializers.IntegerField()
