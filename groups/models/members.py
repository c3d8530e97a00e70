"""Who belongs to a group, and who did."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.roles import FORMER_MEMBER, Role
from users.models import User

MENTORING: Final = frozenset({Role.MENTOR, Role.SUPERVISOR})
# The same as ``groups.access.may_mentor``, as a condition on people.
MAY_MENTOR: Final = Q(is_active=True, status=User.Status.ACTIVE) & (User.ADMINS | Q(role__in=MENTORING))


class MembershipRole(models.TextChoices):
    """As what somebody belongs to a group, which need not be what they are to the programme."""

    STUDENT = Role.STUDENT.value, "Student"
    MENTOR = Role.MENTOR.value, "Mentor"
    SUPERVISOR = Role.SUPERVISOR.value, "Supervisor"


class NewMember(NamedTuple):
    """Who is to belong to a group, by id, and as what."""

    user_id: int
    role: str = MembershipRole.STUDENT


class GroupMember(models.Model):
    """A person belongs to a group now. The mentor need not."""

    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=20, default=MembershipRole.STUDENT, help_text="As what; the API takes three."
    )
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["joined_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "user"], name="member_once_per_group")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class PastMember(models.Model):
    """A person belonged to a group, or mentored it, for a while: a record, which gives no right."""

    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="past_members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="past_memberships",
        help_text="Null: erased since.",
    )
    role = models.CharField(max_length=20)
    joined_at = models.DateTimeField(null=True, help_text="Null: not written down.")
    left_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-left_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["group", "-left_at", "-id"], name="past_member_by_leaving")]

    def __str__(self) -> str:
        return f"{self.user_id} was in {self.group_id}"

    @property
    def name(self) -> str:
        """All that is told of who has left: never an address."""
        return self.user.display_name if self.user else FORMER_MEMBER
