"""What a group has set out to do: milestones and their tasks. Removing one hides it: the row stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from core.prepared import this_moment
from groups.models.members import GroupMember
from users.models import User

if TYPE_CHECKING:
    from typing import Self

    from groups.models.teams import GroupQuerySet


Row = TypeVar("Row", bound=models.Model)


class Kept(models.Manager[Row]):
    """Leaves out what was removed."""

    def get_queryset(self) -> models.QuerySet[Row]:
        return super().get_queryset().filter(removed_at=None)


class Milestone(models.Model):
    """A step of a group's project, in its place among the others."""

    PER_GROUP: ClassVar = 200

    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    order_index = models.IntegerField("place", default=0)
    due_date = models.DateField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, editable=False, help_text="Null while it is not removed.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Kept[Any]] = Kept()
    everything: ClassVar[models.Manager[Milestone]] = models.Manager()

    class Meta:
        ordering = ["order_index", "id"]
        default_manager_name = "objects"
        indexes: ClassVar = [
            models.Index(
                fields=["removed_at"], name="milestone_removed", condition=Q(removed_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.title


class TaskQuerySet(models.QuerySet["Task"]):
    """Questions about many tasks."""

    def of_groups(self, groups: GroupQuerySet) -> Self:
        return self.filter(milestone__group__in=groups)

    def overdue(self) -> Self:
        """Open tasks whose day is over, in UTC."""
        return self.filter(Task.is_overdue())

    def awaited(self) -> Self:
        """Open tasks of somebody who may enter and takes part in the group, where nothing was put away."""
        members = GroupMember.objects.filter(
            group=OuterRef("milestone__group"), user=OuterRef("assigned_to")
        ).order_by()
        return self.filter(
            Exists(members) | Q(milestone__group__mentor=F("assigned_to")),
            completed=False,
            assigned_to__in=User.objects.may_enter(),
            milestone__removed_at=None,
            milestone__group__archived_at=None,
        )

    def assigned_to(self, user: User) -> Self:
        return self.filter(assigned_to=user)

    def with_people(self) -> Self:
        """Everything that a row in a list of tasks shows, without a query per row."""
        return self.select_related("assigned_to", "milestone", "milestone__group")

    def in_order_of_plan(self) -> Self:
        return self.order_by("milestone__order_index", "milestone_id", "place", "created_at", "id")

    def most_urgent_first(self) -> Self:
        """Open before done, then by day (those without one last), then by age."""
        return self.order_by("completed", models.F("due_date").asc(nulls_last=True), "created_at", "id")


class KeptTasks(Kept.from_queryset(TaskQuerySet)):  # type: ignore[misc]
    """Tasks that are not removed."""


class Task(models.Model):
    """One thing to do for a milestone. Those in a removed milestone are removed with it."""

    PER_MILESTONE: ClassVar = 500
    PER_GROUP: ClassVar = 2_000  # all of them are one document

    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="tasks")
    name = models.CharField(max_length=255)
    completed = models.BooleanField(default=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_tasks"
    )
    due_date = models.DateField(null=True, blank=True)
    place = models.IntegerField(
        default=0, db_default=0, editable=False, help_text="All 0 until somebody reorders them."
    )
    removed_at = models.DateTimeField(null=True, editable=False, help_text="Null while it is not removed.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[KeptTasks] = KeptTasks()
    everything: ClassVar[models.Manager[Task]] = models.Manager()

    class Meta:
        ordering = ["place", "created_at", "id"]
        default_manager_name = "objects"
        indexes: ClassVar = [
            models.Index(fields=["assigned_to", "completed", "due_date"], name="task_by_assignee"),
            models.Index(fields=["removed_at"], name="task_removed", condition=Q(removed_at__isnull=False)),
            models.Index(
                fields=["due_date", "id"],
                name="task_due",
                condition=Q(completed=False, removed_at__isnull=True, due_date__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def is_overdue() -> Q:
        """The one meaning of overdue, as a condition on tasks: by the day in UTC, whatever the zone is."""
        return Q(completed=False, due_date__lt=this_moment().date())
