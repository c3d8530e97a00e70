"""Accounts, what they say about themselves, and who looks after whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from core.roles import Role
from users.addresses import USERNAME_LENGTH, shortened

if TYPE_CHECKING:
    from typing import Self


class UserQuerySet(models.QuerySet["User"]):
    """Questions about many accounts."""

    def with_address(self, address: str) -> Self:
        """Return the account of a normalised address, whatever its stored case; uses the unique index."""
        return self.filter(Exact(Lower("email"), address))

    def with_document(self) -> Self:
        """Everything that the wire document shows, in three queries however many links."""
        return self.select_related("profile", "supervisor_profile").prefetch_related(
            models.Prefetch("supervisor_links", StudentSupervisor.objects.oldest_first().with_people()),
            models.Prefetch("supervisee_links", StudentSupervisor.objects.oldest_first().with_people()),
        )


class UserManager(DjangoUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates accounts; an address alone is enough."""

    def create_user(
        self,
        username: str | None = None,
        email: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User:
        user: User = super().create_user(username or default_username(email), email, password, **fields)
        return user

    def create_superuser(
        self,
        username: str | None = None,
        email: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User:
        user: User = super().create_superuser(username or default_username(email), email, password, **fields)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        user: User = self.with_address((username or "").lower()).get()
        return user


def default_username(email: str | None) -> str:
    address = (email or "").lower()
    return address if len(address) <= USERNAME_LENGTH else shortened(address)


class User(AbstractUser):
    """One person. The address is the login id; participants have no usable password."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Suspended"
        PENDING = "pending", "Pending"

    email = models.EmailField("e-mail address", max_length=254, unique=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.STUDENT)
    track = models.CharField(max_length=50, blank=True)
    status = models.CharField(
        max_length=20, choices=Status, default=Status.PENDING, help_text="Suspended people cannot sign in."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["username"]

    class Meta:
        db_table = "users"
        ordering = ["first_name", "last_name", "email", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_ignoring_case",
                violation_error_message="A person with this address exists already.",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["role", "status"], name="user_by_role_and_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_platform_admin(self) -> bool:
        """The one meaning of "admin": by role, or superuser. ``is_staff`` opens the admin site alone."""
        return self.is_superuser or self.role == Role.ADMIN

    @property
    def may_enter(self) -> bool:
        """The account-status gate: asked by link, code, refresh, every request and every socket."""
        return self.is_active and self.status != self.Status.INACTIVE

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def name(self) -> str:
        """For the person and for admins: the address where no name is known."""
        return self.full_name or self.email

    @property
    def display_name(self) -> str:
        """For other participants, who may not learn a minor's address."""
        return self.full_name or f"{self.get_role_display()} {self.pk}"


class UserProfile(models.Model):
    """What a person says about themselves."""

    user = models.OneToOneField(User, models.CASCADE, related_name="profile")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    areas_of_interest = models.JSONField(default=list, blank=True)
    controlled_interests = models.JSONField(default=list, blank=True)
    school_name = models.CharField(max_length=255, blank=True)
    year_level = models.IntegerField(null=True, blank=True)
    guardian_email = models.EmailField(blank=True)
    supervisor_email = models.EmailField(blank=True)
    country = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    availability = models.TextField(blank=True)
    bio = models.TextField(blank=True)
    join_permission_granted = models.BooleanField(
        default=False, help_text="Self-declared: what counts is granted on the link to an adult."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "user_profiles"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(year_level=None) | models.Q(year_level__range=(0, 20)),
                name="profile_year_level_0_to_20",
            )
        ]

    def __str__(self) -> str:
        return f"Profile of {self.user_id}"


class SupervisorProfile(models.Model):
    """An adult's organisation and working-with-children check (WWCC)."""

    user = models.OneToOneField(User, models.CASCADE, related_name="supervisor_profile")
    organization = models.CharField("organisation", max_length=255, blank=True)
    phone_number = models.CharField(max_length=50, blank=True)
    wwcc_number = models.CharField("WWCC number", max_length=100, blank=True)
    wwcc_expiry = models.DateField("WWCC expiry", null=True, blank=True)
    wwcc_verified = models.BooleanField("WWCC verified", default=False, help_text="Set by admins alone.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "supervisor_profiles"

    def __str__(self) -> str:
        return f"Supervisor profile of {self.user_id}"


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
        """Links whose permission counts: granted, and not by the student alone."""
        return self.filter(
            join_permission_granted=True, granted_capacity__in=StudentSupervisor.EFFECTIVE_CAPACITIES
        )


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
        return self.join_permission_granted and self.granted_capacity in self.EFFECTIVE_CAPACITIES

    def capacity_of(self, user: User) -> Capacity | None:
        """In which capacity a person may decide here; None: in none."""
        if user.pk == self.supervisor_id:
            return self.Capacity.ADULT
        if user.pk == self.student_id:
            return self.Capacity.STUDENT
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
