"""Teams, their ids, and who may see which."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest, Lower
from django.db.models.lookups import Exact
from django.utils import timezone

from core.aggregates import Counted
from core.roles import Role
from groups.models.health import SILENT_DAYS, Problem, silent_since
from groups.models.members import MAY_MENTOR, GroupMember
from groups.models.plan import Milestone, Task
from users.models import StudentSupervisor, User

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

ID_RULE = "Letters, digits, - and _, of which the first is a letter or a digit."
ID_PATTERN = r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,49}\Z"  # what URLs, sockets' rooms and Redis all take

IS_ACTIVE: Final = Q(Exact(Lower("status"), "active"))


def sort_key(text: str) -> str:
    """Return a key under which ids sort as people count: BTF2 before BTF10, BTF999 before BTF1000.

    A run of digits is led by its length, and its zeros go.
    """
    return re.sub(r"[0-9]+", lambda run: f"{len(run[0].lstrip('0')):02}{run[0].lstrip('0')}", text.lower())


class GroupQuerySet(models.QuerySet["Group"]):
    """Questions about many groups, of which the first is who may see them."""

    def visible_to(self, user: User) -> Self:
        """Return the groups that a person may see: **the** rule, asked by every door (CONTRACT D1, D30).

        Admins see all; others those which they are in or mentor; supervisors also those of the
        students who are linked to them.
        """
        if user.is_platform_admin:
            return self
        ids = ids_of_own_groups(user)
        if user.role == Role.SUPERVISOR:
            students = StudentSupervisor.objects.filter(supervisor=user).values("student_id")
            ids = ids.union(GroupMember.objects.filter(user__in=students).order_by().values("group_id"))
        return self.filter(pk__in=ids)

    def of(self, user: User) -> Self:
        """Groups in which a person is, or which they mentor."""
        return self.filter(pk__in=ids_of_own_groups(user))

    def active(self) -> Self:
        """Groups whose status is "active", in any case."""
        return self.filter(IS_ACTIVE)

    def with_summary(self) -> Self:
        """What a row of a list shows: the mentor, and how many members there are."""
        members = GroupMember.objects.filter(group=OuterRef("pk"))
        return self.select_related("mentor").annotate(member_count=counted(members))

    def with_last_activity(self) -> Self:
        """Find when something last happened."""
        return self.annotate(last_activity_at=last_activity(tasks_of_group()))

    def with_progress(self) -> Self:
        """Count tasks, those done and those overdue, and find when something last happened."""
        tasks = tasks_of_group()
        return self.with_last_activity().annotate(
            tasks_total=counted(tasks),
            tasks_done=counted(tasks.filter(completed=True)),
            tasks_overdue=counted(tasks.overdue()),
        )

    def with_health(self) -> Self:
        """Say whether nobody mentors it who may, and whether a task is overdue, on top of its progress."""
        mentors = User.objects.filter(MAY_MENTOR, pk=OuterRef("mentor"))
        return self.with_progress().annotate(
            without_mentor=~Exists(mentors), has_overdue=Exists(tasks_of_group().overdue())
        )

    def having(self, problem: Problem) -> Self:
        """Active groups with a problem, on top of their health. Silent is for ``SILENT_DAYS``."""
        is_so = {
            Problem.SILENT: Q(last_activity_at__lt=silent_since(SILENT_DAYS)),
            Problem.NO_MENTOR: Q(without_mentor=True),
            Problem.OVERDUE: Q(has_overdue=True),
        }
        return self.active().filter(archived_at=None).with_health().filter(is_so[problem])

    def bulk_create(self, objs: Iterable[Group], *args: Any, **kwargs: Any) -> list[Group]:
        groups = list(objs)
        for group in groups:
            group.sort_key = sort_key(group.pk)
        return super().bulk_create(groups, *args, **kwargs)

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete for good; no new group gets one of the ids."""
        retire(self.values_list("pk", flat=True))
        return super().delete()


def ids_of_own_groups(user: User) -> QuerySet[Any, Any]:
    """Return the ids of groups in which a person is, or which they mentor, whatever their role (7.2)."""
    ids = GroupMember.objects.filter(user=user).order_by().values("group_id")
    return ids.union(Group.objects.filter(mentor=user).order_by().values("pk"))


def tasks_of_group() -> Any:
    return Task.objects.filter(milestone__group=OuterRef("pk"))


def counted(rows: QuerySet[Any]) -> Counted:
    return Counted(rows.order_by().values("pk"))


def last_activity(tasks: QuerySet[Any]) -> Greatest:
    """When a message was last posted, or the plan last changed; else when the group was made."""
    milestones = Milestone.objects.filter(group=OuterRef("pk")).order_by().values("group")
    moments = [
        F("conversation__last_created_at"),
        Subquery(tasks.order_by().values("milestone__group").annotate(at=Max("updated_at")).values("at")),
        Subquery(milestones.annotate(at=Max("updated_at")).values("at")),
    ]
    made = F("created_at")
    return Greatest(made, *(Coalesce(moment, made) for moment in moments))


def retire(ids: Iterable[str]) -> None:
    rows = [RetiredGroupId(pk=pk.lower()) for pk in ids]
    RetiredGroupId.objects.bulk_create(rows, ignore_conflicts=True)


class PresentGroups(models.Manager.from_queryset(GroupQuerySet)):  # type: ignore[misc]
    """Groups that are not archived."""

    def get_queryset(self) -> GroupQuerySet:
        groups: GroupQuerySet = super().get_queryset()
        return groups.filter(archived_at=None)


class Group(models.Model):
    """A team of students with its mentor. The id is what people call it, such as BTF046."""

    id = models.CharField(
        "group id",
        max_length=50,
        primary_key=True,
        validators=[RegexValidator(ID_PATTERN, ID_RULE)],
        help_text=ID_RULE,
    )
    sort_key = models.CharField(
        max_length=150, default="", db_default="", editable=False, help_text="The id, as people count."
    )
    name = models.CharField(max_length=255)
    track = models.CharField(max_length=50, blank=True)
    status = models.CharField(
        max_length=50, default="active", help_text="Free text: the programme's own labels."
    )
    mentor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="mentored_groups"
    )
    mentor_since = models.DateTimeField(null=True, editable=False, help_text="Null: not written down.")
    room = models.UUIDField(
        default=uuid.uuid4,
        unique=True,
        editable=False,
        help_text="Names the sockets' room: dies with the group.",
    )
    access_version = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Rises whenever somebody may have lost sight of it.",
    )
    archived_at = models.DateTimeField(null=True, editable=False, help_text="Null while it is not archived.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[PresentGroups] = PresentGroups()
    everything: ClassVar[models.Manager[Group]] = GroupQuerySet.as_manager()

    class Meta:
        ordering = ["sort_key", "id"]
        default_manager_name = "objects"
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("id"),
                name="group_id_unique_ignoring_case",
                violation_error_message="A group with this id exists already.",
            ),
            models.CheckConstraint(
                condition=models.Q(id__regex=ID_PATTERN),
                name="group_id_fits_urls_and_rooms",
                violation_error_message=ID_RULE,
            ),
        ]
        indexes: ClassVar = [
            models.Index(Lower("status"), Lower("track"), name="group_by_status_and_track"),
            models.Index(Lower("track"), name="group_by_track"),
            models.Index(
                fields=["archived_at"], name="group_archived", condition=Q(archived_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding or not self.sort_key:
            self.sort_key = sort_key(self.pk)
        super().save(*args, **kwargs)

    @transaction.atomic
    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete for good; no new group gets the id."""
        retire([self.pk])
        return super().delete(*args, **kwargs)


class GroupNumber(models.Model):
    """The number of the last id that was made: one row. Whoever makes the next one holds it."""

    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"BTF{self.last:03}"


class RetiredGroupId(models.Model):
    """The id of a group that was deleted for good, in lower case: nobody gets it again (B42)."""

    id = models.CharField(max_length=50, primary_key=True)

    def __str__(self) -> str:
        return self.id
