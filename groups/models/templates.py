"""Plans that admins hand out: templates of milestones, and the runs that gave one to groups."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from groups.models.plan import Task

if TYPE_CHECKING:
    from typing import Self

LONGEST_DAYS: Final = 3660


class DueLater(models.Model):
    """A piece of a template, due so many days after the day on which a group starts."""

    due_after_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_DAYS)],
        help_text="Days after the start; null: no due date.",
    )

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(due_after_days__isnull=True) | Q(due_after_days__range=(0, LONGEST_DAYS)),
                name="%(class)s_within_reach",
                violation_error_message=f"At most {LONGEST_DAYS} days after the start.",
            )
        ]


class TemplateQuerySet(models.QuerySet["MilestoneTemplate"]):
    """Questions about many templates."""

    def with_milestones(self) -> Self:
        """Everything that a template's document shows: two queries more, however many there are."""
        return self.prefetch_related("milestones__tasks")

    def by_name(self) -> Self:
        return self.order_by(Lower("name"), "id")


class MilestoneTemplate(models.Model):
    """A plan with relative dates. Changing it changes no group that has it already."""

    TASKS: ClassVar = Task.PER_GROUP

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[MilestoneTemplate]] = TemplateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("name"),
                name="template_name_unique_ignoring_case",
                violation_error_message="A template with this name exists already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class TemplateMilestone(DueLater):
    """A milestone of a template, in its place among the others."""

    template = models.ForeignKey(MilestoneTemplate, models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    order_index = models.IntegerField("place", default=0)

    class Meta(DueLater.Meta):
        ordering = ["order_index", "id"]

    def __str__(self) -> str:
        return self.title


class TemplateTask(DueLater):
    """A task of a template's milestone, in its place among the others."""

    milestone = models.ForeignKey(TemplateMilestone, models.CASCADE, related_name="tasks")
    name = models.CharField(max_length=255)
    place = models.IntegerField(default=0)

    class Meta(DueLater.Meta):
        ordering = ["place", "id"]

    def __str__(self) -> str:
        return self.name


class TemplateRunQuerySet(models.QuerySet["TemplateRun"]):
    """Questions about many runs."""

    def with_counts(self) -> Self:
        """Count each run's groups, and those that are done, without reading its plan."""
        State = TemplateRunGroup.State  # noqa: N806 - a class
        rows = TemplateRunGroup.objects.filter(run=OuterRef("pk")).order_by().values("run")
        counts = {
            name: Coalesce(Subquery(some.annotate(n=Count("pk")).values("n")), 0)
            for name, some in (
                ("total", rows),
                ("applied", rows.filter(state=State.APPLIED)),
                ("skipped", rows.filter(state=State.SKIPPED)),
            )
        }
        runs = self.defer("plan").annotate(**counts)
        return runs.annotate(waiting=F("total") - F("applied") - F("skipped"))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class TemplateRun(models.Model):
    """A template is given to groups: as it was when an admin said so, whatever becomes of it since."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"

    # By ``with_counts`` alone.
    total: int
    applied: int
    skipped: int
    waiting: int

    # So that no due date lies after the last day that there is.
    LATEST_START: ClassVar = date.max - timedelta(days=LONGEST_DAYS)

    template = models.ForeignKey(
        MilestoneTemplate,
        models.SET_NULL,
        null=True,
        related_name="runs",
        help_text="Null: deleted since.",
    )
    template_key = models.BigIntegerField(
        help_text="The template's id, which stays when it is deleted: no group gets one twice."
    )
    template_name = models.CharField(max_length=255)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Null: erased since.",
    )
    start_date = models.DateField()
    plan = models.JSONField(help_text="The template's milestones and tasks as they were.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, help_text="Null while groups wait.")

    objects: ClassVar[models.Manager[TemplateRun]] = TemplateRunQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="template_run_newest"),
            models.Index(
                fields=["created_at"], name="template_run_unfinished", condition=Q(finished_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_name} from {self.start_date}"

    @property
    def state(self) -> State:
        return self.State.FINISHED if self.finished_at else self.State.RUNNING

    def day_after_start(self, days: int | None) -> date | None:
        """Return the day so many days after the start; None stays None."""
        return None if days is None else self.start_date + timedelta(days=days)


class TemplateRunGroup(models.Model):
    """What became of one group of a run."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPLIED = "applied", "Applied"
        SKIPPED = "skipped", "Skipped"

    run = models.ForeignKey(TemplateRun, models.CASCADE, related_name="groups")
    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="template_runs")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it was skipped; else blank.")

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "group"], name="group_once_per_template_run")
        ]
        indexes: ClassVar = [
            models.Index(fields=["run", "id"], name="template_run_next", condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return f"{self.group_id} {self.state}"
