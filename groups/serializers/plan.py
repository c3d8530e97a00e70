"""Milestones and tasks on the wire."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from core.converters import IdConverter
from core.serializers import BoundedListField, PlainBooleanField, StrictCharField, WireModelSerializer
from groups.models import Milestone, Task
from groups.serializers.people import PersonField

LONG_TEXT: Final = 5_000


class IdField(serializers.IntegerField):
    """The id of something: a whole number from 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=IdConverter.LARGEST, **kwargs)


class TaskSerializer(WireModelSerializer[Task]):
    """One thing to do."""

    assignedTo = PersonField(source="assigned_to", allow_null=True)  # noqa: N815

    class Meta:
        model = Task
        fields = ["id", "name", "completed", "assignedTo", "dueDate"]
        read_only_fields = fields


class PlaceSerializer(serializers.Serializer[Any]):
    """In which milestone of which group a task stands."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    groupId = serializers.CharField(source="group_id")  # noqa: N815
    groupName = serializers.CharField(source="group.name")  # noqa: N815


class TaskRowSerializer(TaskSerializer):
    """A task in a list over milestones or groups."""

    milestone = PlaceSerializer(read_only=True)

    class Meta(TaskSerializer.Meta):
        fields = [*TaskSerializer.Meta.fields, "milestone"]
        read_only_fields = fields


class MilestoneSerializer(WireModelSerializer[Milestone]):
    """A step of a group's project with its tasks."""

    tasks = TaskSerializer(many=True, read_only=True)

    class Meta:
        model = Milestone
        fields = ["id", "title", "description", "order_index", "dueDate", "tasks"]
        read_only_fields = fields


class PlanSerializer(serializers.Serializer[dict[str, Any]]):
    """All milestones of a group, in their order."""

    milestones = MilestoneSerializer(many=True)


class MilestoneWriteSerializer(WireModelSerializer[Milestone]):
    """What is written of a milestone."""

    description = StrictCharField(max_length=LONG_TEXT, allow_blank=True, required=False)

    class Meta:
        model = Milestone
        fields = ["title", "description", "dueDate"]


class NewTaskSerializer(WireModelSerializer[Task]):
    """A new task; it is not done yet."""

    assignedTo = IdField(  # noqa: N815
        source="assigned_to_id", allow_null=True, required=False, help_text="A member's or the mentor's id."
    )

    class Meta:
        model = Task
        fields = ["name", "assignedTo", "dueDate"]


class TaskWriteSerializer(NewTaskSerializer):
    """What is written of a task."""

    class Meta(NewTaskSerializer.Meta):
        fields = [*NewTaskSerializer.Meta.fields, "completed"]


class TaskDoneSerializer(serializers.Serializer[dict[str, bool]]):
    """Whether a task is done."""

    completed = PlainBooleanField()


class TaskChangedSerializer(serializers.Serializer[dict[str, Any]]):
    """That it was done, and the task as it is now."""

    success = serializers.BooleanField()
    task = TaskSerializer()


class OrderSerializer(serializers.Serializer[dict[str, list[int]]]):
    """All ids, each once, in the order that is wanted."""

    order = BoundedListField(child=IdField(), max_length=500)
