"""Giving a template to groups, one group a transaction: killed in between, a run goes on where it stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import DataError, IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from core import audit
from core.tasks import enqueue
from groups.models import Group, Milestone, Task, TemplateRun, TemplateRunGroup
from groups.services.templates import ROWS_AT_ONCE

if TYPE_CHECKING:
    from django.db.models import QuerySet

LOST_AFTER: Final = timedelta(hours=1)
ARCHIVED: Final = "The group is archived."
HAS_IT: Final = "This template was applied to the group before."
FULL: Final = f"The group would have more than {Milestone.PER_GROUP} milestones."
TOO_MANY_TASKS: Final = f"The group would have more than {Task.PER_GROUP} tasks."
NOT_STORABLE: Final = "The milestones cannot be stored in this group."
State = TemplateRunGroup.State


@transaction.atomic
def apply_to_next_group(run_id: int) -> bool:
    """Give a run's plan to the next group that waits, and tell whether more may; at the end, record it.

    Holds the group. Any number of workers may take the same run, and two runs the same group.
    """
    waiting = TemplateRunGroup.objects.filter(run=run_id, state=State.WAITING)
    row = waiting.select_related("run").first()
    if row is None:
        finish(run_id)
        return False
    # Archived or not: the lock is what keeps two workers from settling one group.
    group = Group.everything.select_for_update(no_key=True).filter(pk=row.group_id).first()
    # In a statement of its own: it must see what was committed while the lock was waited for.
    if group is not None and waiting.filter(pk=row.pk).exists():
        settle(row, group)
    return True


def settle(row: TemplateRunGroup, group: Group) -> None:
    """Give the plan to a group that is held, or write down why not."""
    row.reason = why_not(group, row.run) or append_safely(group, row.run)
    row.state = State.SKIPPED if row.reason else State.APPLIED
    row.save(update_fields=["state", "reason"])


def why_not(group: Group, run: TemplateRun) -> str:
    """Return the reason for which a group is skipped; blank where there is none."""
    if group.archived_at is not None:
        return ARCHIVED
    if group.template_runs.filter(state=State.APPLIED, run__template_key=run.template_key).exists():
        return HAS_IT
    tasks = sum(len(milestone["tasks"]) for milestone in run.plan)
    if group.milestones.count() + len(run.plan) > Milestone.PER_GROUP:
        return FULL
    return TOO_MANY_TASKS if tasks_of(group).count() + tasks > Task.PER_GROUP else ""


def tasks_of(group: Group) -> QuerySet[Any]:
    tasks: QuerySet[Any] = Task.objects.filter(milestone__group=group)
    return tasks


def append_safely(group: Group, run: TemplateRun) -> str:
    """Append the plan, or return why it cannot be: one such group must not hold up the others."""
    try:
        with transaction.atomic():
            append(group, run)
    except (DataError, IntegrityError):
        return NOT_STORABLE
    return ""


def append(group: Group, run: TemplateRun) -> None:
    """Write the run's milestones behind those that the group has, with their tasks."""
    last = group.milestones.aggregate(last=Max("order_index"))["last"] or 0
    now = timezone.now()

    def dated(piece: dict[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in piece.items() if name not in {"tasks", "due_after_days"}}
        return {**values, "due_date": run.day_after_start(piece["due_after_days"]), "created_at": now}

    rows = Milestone.objects.bulk_create(
        Milestone(group=group, order_index=last + place, **dated(milestone))
        for place, milestone in enumerate(run.plan, start=1)
    )
    Task.objects.bulk_create(
        (
            Task(milestone=row, place=place, **dated(task))
            for row, milestone in zip(rows, run.plan, strict=True)
            for place, task in enumerate(milestone["tasks"], start=1)
        ),
        batch_size=ROWS_AT_ONCE,
    )


def finish(run_id: int) -> None:
    """End a run of which no group waits any more, and record it once. Holds the run."""
    runs = TemplateRun.objects.with_counts().select_for_update(no_key=True)
    run = runs.filter(pk=run_id, finished_at=None).first()
    if run is None:
        return
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at"])
    counts = {"total": run.total, "applied": run.applied, "skipped": run.skipped}
    audit.record("template_run_finished", actor=run.started_by, target=run, changes=counts)


def resume_runs() -> int:
    """Take up runs whose work was lost: more than an hour old, and groups wait. Safe while one goes on."""
    lost = TemplateRun.objects.filter(finished_at=None, created_at__lt=timezone.now() - LOST_AFTER)
    ids = list(lost.order_by("created_at").values_list("pk", flat=True))
    for run_id in ids:
        enqueue("groups.tasks.apply_template", run_id=run_id)
    return len(ids)
