"""A group's plan: milestones and tasks, kept by whoever may see the group."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from core import audit
from core.refusals import Missing, Refused
from groups.access import takes_part
from groups.models import Milestone, Task
from groups.services.holding import RESTORABLE_DAYS, hold_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from groups.models import Group
    from users.models import User

Row = TypeVar("Row", Milestone, Task)


class PlanIsFull(Refused):
    """More than anybody plans: a program went wild (400)."""

    code = "limit_reached"


class NotInGroup(Refused):
    """A task for somebody who is not in the group (400)."""

    code = "validation_error"
    sentence = "This person is neither a member of the group nor its mentor."


class WrongOrder(Refused):
    """An order that does not name each of them once (400)."""

    code = "validation_error"
    sentence = "Name each one that there is, once."


@transaction.atomic
def add_milestone(group: Group, *, by: User, **values: Any) -> Milestone:
    """Append a milestone: its place is the next one. Raises PlanIsFull (400). Holds the group."""
    group, _ = hold_group(group, by=by)
    check_room(group)
    milestone: Milestone = Milestone.objects.create(group=group, order_index=next_place(group), **values)
    return milestone


@transaction.atomic
def change_milestone(milestone: Milestone, *, by: User, values: dict[str, Any]) -> Milestone:
    """Change a milestone's title, description or due date. Raises Missing (404). Holds the group."""
    milestone = held_milestone(milestone, by=by)
    return write(milestone, values)


@transaction.atomic
def remove_milestone(milestone: Milestone, *, by: User) -> None:
    """Remove a milestone with its tasks; an admin can bring it back for 30 days. Holds the group."""
    milestone = held_milestone(milestone, by=by)
    now = timezone.now()
    milestone.tasks.update(removed_at=now)
    Milestone.objects.filter(pk=milestone.pk).update(removed_at=now)
    audit.record("milestone_removed", actor=by, target=milestone, changes={"group": milestone.group_id})


@transaction.atomic
def restore_milestone(milestone: Milestone, *, by: User) -> None:
    """Bring a removed milestone back, behind the others, with the tasks that went with it.

    Raises Missing (404) and PlanIsFull (400). Holds the group.
    """
    group, by_now = hold_group(milestone.group, by=by)
    removed = restorable(Milestone.everything.filter(pk=milestone.pk)).first()
    if removed is None:
        raise Missing
    check_room(group)
    Task.everything.filter(milestone=removed, removed_at=removed.removed_at).update(removed_at=None)
    removed.removed_at, removed.order_index = None, next_place(group)
    removed.save(update_fields=["removed_at", "order_index", "updated_at"])
    audit.record("milestone_restored", actor=by_now, target=removed, changes={"group": group.pk})


@transaction.atomic
def reorder_milestones(group: Group, *, by: User, order: Sequence[int]) -> None:
    """Give the milestones the places 1, 2 ... in that order of ids. Raises WrongOrder (400).

    Holds the group.
    """
    group, _ = hold_group(group, by=by)
    arrange(group.milestones.all(), order, column="order_index")


@transaction.atomic
def add_task(milestone: Milestone, *, by: User, **values: Any) -> Task:
    """Append a task to a milestone. Raises PlanIsFull and NotInGroup (400), Missing (404).

    Holds the assignee, then the group.
    """
    milestone = held_milestone(milestone, by=by, beside=assignee_in(values))
    check_assignee(milestone.group, values)
    check_room_for_task(milestone)
    last = milestone.tasks.aggregate(last=Max("place"))["last"] or 0
    # All are 0, in the order of their age, until somebody has arranged them.
    place = last + 1 if last else 0
    task: Task = Task.objects.create(milestone=milestone, place=place, **values)
    return task


@transaction.atomic
def change_task(task: Task, *, by: User, values: dict[str, Any]) -> Task:
    """Change a task's name, assignee, due date, or whether it is done.

    One that is taken up again is nobody's, where whoever did it has left. Raises NotInGroup (400) and
    Missing (404). Holds the assignee, then the group.
    """
    task = held_task(task, by=by, beside=assignee_in(values))
    group = task.milestone.group
    check_assignee(group, values)
    task = write(task, values)
    if not (task.completed or takes_part(group, task.assigned_to_id)):
        task = write(task, {"assigned_to_id": None})
    return task


@transaction.atomic
def remove_task(task: Task, *, by: User) -> None:
    """Remove a task; the row stays for 30 days. Raises Missing (404). Holds the group."""
    task = held_task(task, by=by)
    Task.objects.filter(pk=task.pk).update(removed_at=timezone.now())
    audit.record("task_removed", actor=by, target=task, changes={"group": task.milestone.group_id})


@transaction.atomic
def restore_task(task: Task, *, by: User) -> None:
    """Bring a removed task back into its milestone. Raises Missing (404) and PlanIsFull (400).

    Holds the group.
    """
    milestone = held_milestone(task.milestone, by=by)
    restored = restorable(Task.everything.filter(pk=task.pk, milestone=milestone)).first()
    if restored is None:
        raise Missing
    check_room_for_task(milestone)
    restored.removed_at = None
    restored.save(update_fields=["removed_at", "updated_at"])
    audit.record("task_restored", actor=by, target=restored, changes={"group": milestone.group_id})


@transaction.atomic
def reorder_tasks(milestone: Milestone, *, by: User, order: Sequence[int]) -> None:
    """Give the tasks of a milestone the places 1, 2 ... Raises WrongOrder (400). Holds the group."""
    milestone = held_milestone(milestone, by=by)
    arrange(milestone.tasks.all(), order, column="place")


def tasks_removed_long_ago() -> QuerySet[Any]:
    """Find tasks that can be brought back no more."""
    return Task.everything.filter(removed_at__lt=timezone.now() - timedelta(days=RESTORABLE_DAYS))


def milestones_removed_long_ago() -> QuerySet[Any]:
    """Find milestones that can be brought back no more."""
    return Milestone.everything.filter(removed_at__lt=timezone.now() - timedelta(days=RESTORABLE_DAYS))


def held_milestone(milestone: Milestone, *, by: User, beside: Iterable[int] = ()) -> Milestone:
    """Return the milestone as it is now, its group held. Raises Missing (404) where it has gone."""
    group, _ = hold_group(milestone.group, by=by, beside=beside)
    found: Milestone | None = group.milestones.filter(pk=milestone.pk).first()
    if found is None:
        raise Missing
    found.group = group
    return found


def held_task(task: Task, *, by: User, beside: Iterable[int] = ()) -> Task:
    """Return the task as it is now, its group held. Raises Missing (404) where it has gone."""
    hold_group(task.milestone.group, by=by, beside=beside)
    found: Task | None = Task.objects.with_people().filter(pk=task.pk).first()
    if found is None:
        raise Missing
    return found


def assignee_in(values: dict[str, Any]) -> list[int]:
    """Return whose a task is to be, for ``hold_group``: they may be erased at this moment."""
    user_id = values.get("assigned_to_id")
    return [user_id] if user_id else []


def restorable(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Of rows, those that were removed not more than 30 days ago."""
    return rows.filter(removed_at__gte=timezone.now() - timedelta(days=RESTORABLE_DAYS))


def check_room_for_task(milestone: Milestone) -> None:
    if milestone.tasks.count() >= Task.PER_MILESTONE:
        raise PlanIsFull(f"A milestone has at most {Task.PER_MILESTONE} tasks.")
    if Task.objects.filter(milestone__group=milestone.group_id).count() >= Task.PER_GROUP:
        raise PlanIsFull(f"A group has at most {Task.PER_GROUP} tasks.")


def next_place(group: Group) -> int:
    last: int | None = group.milestones.aggregate(last=Max("order_index"))["last"]
    return (last or 0) + 1


def check_room(group: Group) -> None:
    if group.milestones.count() >= Milestone.PER_GROUP:
        raise PlanIsFull(f"A group has at most {Milestone.PER_GROUP} milestones.")


def check_assignee(group: Group, values: dict[str, Any]) -> None:
    """Let a task be somebody's who is in the group or mentors it, or nobody's."""
    if not takes_part(group, values.get("assigned_to_id")):
        raise NotInGroup(field="assignedTo")


def write(row: Row, values: dict[str, Any]) -> Row:
    """Set columns, and save the row where one of them changed."""
    if any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        # Nothing else: whose a task is may be taken from it at this moment, by their erasure.
        row.save(update_fields=[*values, "updated_at"])
    return row


def arrange(rows: QuerySet[Any], order: Sequence[int], *, column: str) -> None:
    """Give each row the place of its id in ``order``. Raises WrongOrder (400)."""
    by_id = rows.in_bulk()
    if len(order) != len(by_id) or set(order) != by_id.keys():
        raise WrongOrder(field="order")
    now = timezone.now()
    for place, pk in enumerate(order, start=1):
        setattr(by_id[pk], column, place)
        by_id[pk].updated_at = now
    rows.bulk_update(by_id.values(), [column, "updated_at"])
