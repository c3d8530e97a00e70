"""Who looks after whom, and who has permitted it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

from core.roles import Role
from users.models.people import User

if TYPE_CHECKING:
    from typing import Self


class StudentSupervisorQuerySet(models.QuerySet["StudentSupervisor"]):
    """Questions about many links."""

    def oldest_first(self) -> Self:
        return self.order_by("created_at", "id")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def with_people(self) -> Self:
        """Both ends and what a brief shows of them, without a query per row."""
        return self.select_related(
            "student", "student__supervisor_profile", "supervisor", "supervisor__supervisor_profile"
        )

    def of(self, user: User) -> Self:
        """Links at either end of which the person stands."""
        return self.filter(models.Q(student=user) | models.Q(supervisor=user))

    def effective(self) -> Self:
        """Links whose permission counts: granted, not by the student alone, and still to an adult."""
        granted = self.filter(
            join_permission_granted=True, granted_capacity__in=StudentSupervisor.EFFECTIVE_CAPACITIES
        )
        return granted.exclude(supervisor__role=Role.STUDENT)


class StudentSupervisor(models.Model):
    """An adult looks after a student, and may permit them to join."""

    class Relationship(models.TextChoices):
        SUPERVISOR = "supervisor", "Supervisor"
        GUARDIAN = "guardian", "Guardian"
        MENTOR = "mentor", "Mentor"

    class Capacity(models.TextChoices):
        STUDENT = "student", "The student"
        ADULT = "adult", "The adult of the link"
        ADMIN = "admin", "A programme admin"

    EFFECTIVE_CAPACITIES: ClassVar = (Capacity.ADULT, Capacity.ADMIN)

    student = models.ForeignKey(User, models.CASCADE, related_name="supervisor_links")
    supervisor = models.ForeignKey(User, models.CASCADE, related_name="supervisee_links")
    relationship_type = models.CharField(max_length=32, choices=Relationship, default=Relationship.SUPERVISOR)
    join_permission_granted = models.BooleanField(default=False)
    join_permission_granted_at = models.DateTimeField(null=True, blank=True)
    granted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", help_text="Who set the permission."
    )
    granted_capacity = models.CharField(max_length=20, choices=Capacity, blank=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = StudentSupervisorQuerySet.as_manager()

    class Meta:
        db_table = "student_supervisors"
        verbose_name = "student-supervisor link"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["student", "supervisor", "relationship_type"], name="link_unique_per_type"
            ),
            models.CheckConstraint(
                condition=~models.Q(student=models.F("supervisor")), name="link_between_two_people"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["student", "relationship_type"], name="link_by_student"),
            models.Index(fields=["supervisor"], name="link_by_supervisor"),
        ]

    def __str__(self) -> str:
        return f"{self.student_id} - {self.supervisor_id} ({self.relationship_type})"

    @property
    def permission_is_effective(self) -> bool:
        """The same rule as ``effective()``, on one row."""
        counts = self.join_permission_granted and self.granted_capacity in self.EFFECTIVE_CAPACITIES
        return counts and self.supervisor.role != Role.STUDENT

    def capacity_of(self, user: User) -> Capacity | None:
        """In which capacity a person may decide here; None: in none."""
        if user.pk in {self.supervisor_id, self.student_id}:
            is_adult = user.pk == self.supervisor_id and user.role != Role.STUDENT
            return self.Capacity.ADULT if is_adult else self.Capacity.STUDENT
        return self.Capacity.ADMIN if user.is_platform_admin else None


class JoinPermissionChange(models.Model):
    """One decision about a link's permission: who, in which capacity, when. Never changed later."""

    link = models.ForeignKey(StudentSupervisor, models.CASCADE, related_name="permission_changes")
    granted = models.BooleanField()
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    capacity = models.CharField(max_length=20, choices=StudentSupervisor.Capacity)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "join_permission_changes"
        ordering = ["decided_at", "id"]

    def __str__(self) -> str:
        return f"{'granted' if self.granted else 'withdrawn'} as {self.capacity}"
