"""What is read of groups all day: narrow rows, each list and each document in one query.

The columns are in the order in which ``groups.serializers.documents`` takes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.db.models import ExpressionWrapper, OuterRef

from core.nested import Tuple, listed
from core.prepared import Prepared, Slot
from core.refusals import Missing
from groups.asking import GROUP, ByKind
from groups.models import Group, GroupMember, Milestone, Task
from groups.models.teams import tasks_of_group
from users.names import columns_of_name

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from users.models import User

HEAD: Final = ("pk", "name", "status", "track", *columns_of_name("mentor"))
SUMMARY: Final = (*HEAD, "member_count")
PROGRESS: Final = ("tasks_total", "tasks_done", "tasks_overdue", "last_activity_at")
# The order of each list is that of its first columns, up to the id. Moments in JSON are text, of which the
# earlier one comes first: all are in UTC, and a fraction only adds to them.
MEMBER: Final = ("joined_at", "id", "role", *columns_of_name("user"))
MILESTONE: Final = ("order_index", "id", "title", "description", "due_date")
TASK: Final = (
    *("place", "created_at", "id", "milestone_id", "name", "completed", "due_date"),
    *columns_of_name("assigned_to"),
)


def document(viewer: Any) -> QuerySet[Group, Any]:
    """All that stands in a group's document; of each task, beside ``TASK``, whether it is overdue."""
    groups: Any = Group.objects.visible_to(viewer).filter(pk=GROUP).order_by().with_last_activity()
    is_overdue = ExpressionWrapper(Task.is_overdue(), models.BooleanField())
    rows: QuerySet[Group, Any] = groups.annotate(
        member_rows=listed(GroupMember.objects.filter(group=OuterRef("pk")), "group", Tuple(*MEMBER)),
        milestone_rows=listed(Milestone.objects.filter(group=OuterRef("pk")), "group", Tuple(*MILESTONE)),
        task_rows=listed(tasks_of_group(), "milestone__group", Tuple(*TASK, is_overdue)),
    ).values_list(*HEAD, "last_activity_at", "member_rows", "milestone_rows", "task_rows")
    return rows


def summary(groups: Any) -> QuerySet[Group, Any]:
    """Of groups, what ``summaries`` takes."""
    rows: QuerySet[Group, Any] = groups.with_summary().values_list(*SUMMARY)
    return rows


def own(viewer: Any) -> QuerySet[Group, Any]:
    groups: Any = Group.objects.of(viewer).with_summary().with_progress()
    rows: QuerySet[Group, Any] = groups.values_list(*SUMMARY, *PROGRESS)
    return rows


DOCUMENT: Final = ByKind(document)
ALL: Final = ByKind(lambda viewer: summary(Group.objects.visible_to(viewer)))
OWN: Final = Prepared(lambda: own(Slot("viewer", models.BigIntegerField())))


def document_row(viewer: User, group_id: str) -> Any:
    """Return what stands in the document of a group that the person may see. Raises Missing (404)."""
    row = DOCUMENT.of(viewer).row(viewer=viewer.pk, group=group_id)
    if row is None:
        raise Missing
    return row


def all_rows(viewer: User) -> list[Any]:
    """Return ``SUMMARY`` of all groups that the person may see, in order."""
    return ALL.of(viewer).rows(viewer=viewer.pk)


def own_rows(viewer: User) -> list[Any]:
    """Return ``SUMMARY`` and ``PROGRESS`` of the groups in which a person is, or which they mentor."""
    return OWN.rows(viewer=viewer.pk)
