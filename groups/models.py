"""Teams: who belongs to them, and what they have set out to do."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils import timezone

from core.roles import Role

if TYPE_CHECKING:
    from typing import Self

ID_RULE = "Letters, digits, - and _, of which the first is a letter or a digit."
ID_PATTERN = r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,49}\Z"  # what URLs, sockets' rooms and Redis all take


class GroupQuerySet(models.QuerySet["Group"]):
    """Questions about many groups."""

    def active(self) -> Self:
        """Groups whose status is "active", in any case."""
        return self.filter(Exact(Lower("status"), "active"))


class Group(models.Model):
    """A team of students with its mentor. The id is what people call it, such as BTF046."""

    id = models.CharField(
        "group id",
        max_length=50,
        primary_key=True,
        validators=[RegexValidator(ID_PATTERN, ID_RULE)],
        help_text=ID_RULE,
    )
    name = models.CharField(max_length=255)
    track = models.CharField(max_length=50, blank=True)
    status = models.CharField(
        max_length=50, default="active", help_text="Free text: the programme's own labels."
    )
    mentor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="mentored_groups"
    )
    room = models.UUIDField(
        default=uuid.uuid4,
        unique=True,
        editable=False,
        help_text="Names the sockets' room: dies with the group.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = GroupQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
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
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


class GroupMember(models.Model):
    """A person belongs to a group. The mentor need not."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, default=Role.STUDENT, help_text="As what; free text.")
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["joined_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "user"], name="member_once_per_group")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Milestone(models.Model):
    """A step of a group's project, in its place among the others."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    order_index = models.IntegerField("place", default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["order_index", "id"]

    def __str__(self) -> str:
        return self.title


class Task(models.Model):
    """One thing to do for a milestone."""

    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="tasks")
    name = models.CharField(max_length=255)
    completed = models.BooleanField(default=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_tasks"
    )
    due_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name
