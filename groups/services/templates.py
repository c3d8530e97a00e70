"""Templates of milestones, as platform admins keep them and hand them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction

from core import audit
from core.preconditions import confirm
from core.refusals import Missing, Refused
from core.tasks import enqueue_on_commit
from groups.models import (
    Group,
    MilestoneTemplate,
    TemplateMilestone,
    TemplateRun,
    TemplateRunGroup,
    TemplateTask,
)
from groups.services.holding import still_acting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from users.models import User

ROWS_AT_ONCE: Final = 1_000


class NameTaken(Refused):
    """Another template has this name, in whatever case (400)."""

    code = "validation_error"
    sentence = "A template with this name exists already."


class NothingToApply(Refused):
    """A template without milestones (400)."""

    code = "template_empty"
    sentence = "This template has no milestones."


class UnknownGroups(Refused):
    """Groups that are not there, or are archived (400)."""

    code = "validation_error"


@transaction.atomic
def create_template(
    *, by: User, name: str, milestones: Sequence[dict[str, Any]], description: str = ""
) -> MilestoneTemplate:
    """Make a template with its milestones. Raises NameTaken (400) and what ``acting`` raises."""
    by_now = still_acting(by)
    template = stored(MilestoneTemplate(name=name, description=description))
    insert_milestones(template, milestones)
    audit.record("template_created", actor=by_now, target=template, changes={"milestones": len(milestones)})
    return template


@transaction.atomic
def change_template(template: MilestoneTemplate, *, by: User, values: dict[str, Any]) -> MilestoneTemplate:
    """Change name or description; ``milestones``, where they are in ``values``, replace all there were.

    Groups that have the template keep what they have. Raises NameTaken (400), Missing (404) where it has
    been deleted, and what ``acting`` raises. Holds the template.
    """
    by_now = still_acting(by)
    template, columns = held_template(template), dict(values)
    milestones = columns.pop("milestones", None)
    changes = audit.difference({name: getattr(template, name) for name in columns}, columns)
    if milestones is not None:
        template.milestones.all().delete()
        insert_milestones(template, milestones)
        changes["milestones"] = len(milestones)
    if changes:
        for name, value in columns.items():
            setattr(template, name, value)
        audit.record("template_changed", actor=by_now, target=stored(template), changes=changes)
    return template


def held_template(template: MilestoneTemplate) -> MilestoneTemplate:
    """Lock a template, and its milestones with it. Raises Missing (404), and what ``confirm`` raises."""
    rows = MilestoneTemplate.objects.select_for_update(no_key=True)
    found = rows.filter(pk=template.pk).first()
    if found is None:
        raise Missing
    confirm()
    return found


def stored(template: MilestoneTemplate) -> MilestoneTemplate:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise NameTaken(field="name") from error
    return template


def insert_milestones(template: MilestoneTemplate, milestones: Sequence[dict[str, Any]]) -> None:
    """Write milestones and their tasks in the order in which they come; the template must have none."""
    rows = TemplateMilestone.objects.bulk_create(
        TemplateMilestone(
            template=template,
            order_index=place,
            **{name: value for name, value in milestone.items() if name != "tasks"},
        )
        for place, milestone in enumerate(milestones, start=1)
    )
    TemplateTask.objects.bulk_create(
        (
            TemplateTask(milestone=row, place=place, **task)
            for row, milestone in zip(rows, milestones, strict=True)
            for place, task in enumerate(milestone.get("tasks", []), start=1)
        ),
        batch_size=ROWS_AT_ONCE,
    )


@transaction.atomic
def delete_template(template: MilestoneTemplate, *, by: User) -> None:
    """Delete a template; its runs go on, and stay on record. Raises Missing (404). Holds the template."""
    by_now = still_acting(by)
    found = held_template(template)
    audit.record("template_deleted", actor=by_now, target=found)
    found.delete()


@transaction.atomic
def apply_template(
    template: MilestoneTemplate, *, by: User, group_ids: Sequence[str], start_date: date
) -> TemplateRun:
    """Begin to give a template to groups in the background: to all that are named, or to none.

    Raises NothingToApply and UnknownGroups (400), and Missing (404). Holds the template, so that the plan
    is of one moment; from then on nothing that becomes of the template, or of who acts, changes the run.
    """
    by_now = still_acting(by)
    template = held_template(template)
    plan = plan_of(template)
    if not plan:
        raise NothingToApply
    refuse_unknown(group_ids)
    run = TemplateRun.objects.create(
        template=template,
        template_key=template.pk,
        template_name=template.name,
        started_by=by_now,
        start_date=start_date,
        plan=plan,
    )
    TemplateRunGroup.objects.bulk_create(TemplateRunGroup(run=run, group_id=pk) for pk in group_ids)
    counts = {"groups": len(group_ids), "milestones": len(plan), "tasks": sum(len(m["tasks"]) for m in plan)}
    audit.record("template_applied", actor=by_now, target=run, changes={"template": template.pk, **counts})
    enqueue_on_commit("groups.tasks.apply_template", run_id=run.pk)
    return run


def plan_of(template: MilestoneTemplate) -> list[dict[str, Any]]:
    """Return the milestones as a run keeps them, in two queries."""
    return [
        {
            "title": milestone.title,
            "description": milestone.description,
            "due_after_days": milestone.due_after_days,
            "tasks": [
                {"name": task.name, "due_after_days": task.due_after_days} for task in milestone.tasks.all()
            ],
        }
        for milestone in template.milestones.prefetch_related("tasks")
    ]


def refuse_unknown(group_ids: Sequence[str]) -> None:
    present = set(Group.objects.filter(pk__in=group_ids).values_list("pk", flat=True))
    if unknown := [pk for pk in group_ids if pk not in present]:
        raise UnknownGroups(f"Unknown or archived: {', '.join(unknown)}.", field="groupIds")
