"""Templates of milestones, and the runs that give them to groups, on the wire."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from rest_framework import serializers

from core.serializers import BoundedListField, StrictCharField, WireModelSerializer
from groups.models import (
    Milestone,
    MilestoneTemplate,
    Task,
    TemplateMilestone,
    TemplateRun,
    TemplateRunGroup,
    TemplateTask,
)
from groups.serializers.plan import LONG_TEXT

GROUPS_AT_ONCE: Final = 1_000
ID_LENGTH: Final = 50


class TemplateTaskSerializer(WireModelSerializer[TemplateTask]):
    """A task of a template's milestone."""

    class Meta:
        model = TemplateTask
        fields = ["name", "dueAfterDays"]


class TemplateMilestoneSerializer(WireModelSerializer[TemplateMilestone]):
    """A milestone of a template, with its tasks in their order."""

    description = StrictCharField(max_length=LONG_TEXT, allow_blank=True, required=False)
    tasks = serializers.ListSerializer[Any](
        child=TemplateTaskSerializer(),
        required=False,
        max_length=Task.PER_MILESTONE,
        help_text=f"At most {Task.PER_MILESTONE}.",
    )

    class Meta:
        model = TemplateMilestone
        fields = ["title", "description", "dueAfterDays", "tasks"]


class WholeMilestones(serializers.ListSerializer[Any]):
    """Milestones that are sent whole, also in a PATCH: it may leave them all out, and not half of one."""

    default_error_messages = {"too_many": f"A template has at most {MilestoneTemplate.TASKS} tasks."}

    def to_internal_value(self, data: Any) -> Any:
        """Count before looking at each: a hundred thousand would take many seconds."""
        rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
        tasks = [row["tasks"] for row in rows if isinstance(row.get("tasks"), list)]
        if sum(map(len, tasks)) > MilestoneTemplate.TASKS:
            self.fail("too_many")
        return super().to_internal_value(data)

    def run_child_validation(self, data: Any) -> Any:
        milestone = TemplateMilestoneSerializer(data=data)
        milestone.is_valid(raise_exception=True)
        return milestone.validated_data


class MilestoneTemplateSerializer(WireModelSerializer[MilestoneTemplate]):
    """A template, with its milestones in their order: they are sent all together."""

    description = StrictCharField(max_length=LONG_TEXT, allow_blank=True, required=False)
    milestones = WholeMilestones(
        child=TemplateMilestoneSerializer(),
        max_length=Milestone.PER_GROUP,
        help_text=f"At most {Milestone.PER_GROUP}, with {MilestoneTemplate.TASKS} tasks in all.",
    )

    class Meta:
        model = MilestoneTemplate
        fields = ["id", "name", "description", "milestones", "createdAt", "updatedAt"]
        read_only_fields = ["createdAt", "updatedAt"]


class ApplyTemplateSerializer(serializers.Serializer[dict[str, Any]]):
    """To which groups a template is given, and from which day on."""

    groupIds = BoundedListField(  # noqa: N815
        source="group_ids",
        child=StrictCharField(max_length=ID_LENGTH),
        min_length=1,
        max_length=GROUPS_AT_ONCE,
        help_text="Each once. One that is unknown or archived: 400, and no group gets it.",
    )
    startDate = serializers.DateField(  # noqa: N815
        source="start_date", default=timezone.localdate, help_text="Today (UTC), where it is left out."
    )

    def validate_groupIds(self, ids: list[str]) -> list[str]:  # noqa: N802 - the field's name
        if len(set(ids)) < len(ids):
            raise serializers.ValidationError("Name each group once.")
        return ids

    def validate_startDate(self, day: Any) -> Any:  # noqa: N802 - the field's name
        if day > TemplateRun.LATEST_START:
            raise serializers.ValidationError(f"At latest {TemplateRun.LATEST_START}.")
        return day


class AppliedTemplateSerializer(serializers.Serializer[TemplateRun]):
    """The template of a run, by the name that it had."""

    id = serializers.IntegerField(
        source="template_id", allow_null=True, help_text="Null: the template was deleted since."
    )
    name = serializers.CharField(source="template_name")


class TemplateRunSerializer(WireModelSerializer[TemplateRun]):
    """A run, and of how many groups what has become."""

    template = AppliedTemplateSerializer(source="*")
    state = serializers.ChoiceField(choices=TemplateRun.State.choices)
    total = serializers.IntegerField()
    applied = serializers.IntegerField()
    skipped = serializers.IntegerField()
    waiting = serializers.IntegerField()

    class Meta:
        model = TemplateRun
        fields = [
            *("id", "template", "startDate", "state", "total", "applied", "skipped", "waiting"),
            *("createdAt", "finishedAt"),
        ]
        read_only_fields = fields


class TemplateRunGroupSerializer(WireModelSerializer[TemplateRunGroup]):
    """What became of a group of a run."""

    class Meta:
        model = TemplateRunGroup
        fields = ["groupId", "state", "reason"]
        read_only_fields = fields
