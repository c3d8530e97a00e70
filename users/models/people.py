"""Accounts, and what they say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Coalesce, Lower, StrIndex
from django.db.models.lookups import Contains, Exact, GreaterThan
from django.utils.crypto import salted_hmac

from core.prepared import Slot, value_of
from core.roles import Role
from users.addresses import USERNAME_LENGTH, shortened
from users.names import Named

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Self

SEARCHED = Func(
    F("first_name"),
    Value(" "),
    F("last_name"),
    Value("\n"),
    F("email"),
    arg_joiner=" || ",
    template="LOWER(%(expressions)s)",
    output_field=models.TextField(),
)
BY_NAME = ("first_name", "last_name", "email", "id")


class UpToAt(Func):
    """What stands in a text up to its first ``@``, with it; NULL where that is too short for a trigram index.

    NULL on SQLite, too, which has none.
    """

    template = "SUBSTRING(%(expressions)s FROM '^[^@]{2,}@')"
    output_field = models.TextField()

    def as_sqlite(self, *args: Any, **extra: Any) -> Any:
        return "NULL", []


class UserQuerySet(models.QuerySet["User"]):
    """Questions about many accounts."""

    def with_address(self, address: str) -> Self:
        """Return the account of a normalised address, whatever its stored case; uses the unique index."""
        return self.filter(Exact(Lower("email"), address))

    def with_addresses(self, addresses: Collection[str]) -> Self:
        """Return the accounts of normalised addresses, in the same way."""
        return self.alias(lowered_address=Lower("email")).filter(lowered_address__in=addresses)

    def matching(self, text: str | Slot) -> Self:
        """Accounts in whose name or address the text occurs, whatever its case; blank matches every one.

        First and last name are searched as one. A trigram index answers this (migration 0003), as long
        as the expression is the index's own. Of an address it is asked for what stands before the ``@``:
        all share what comes behind it, and the index would look for each of its parts in each of their lists.
        """
        words = text if isinstance(text, Slot) else " ".join(text.split())
        if not words:
            return self
        whole = Lower(value_of(words))
        asked = Coalesce(UpToAt(whole), whole, output_field=models.TextField())
        is_whole = Exact(asked, whole) | GreaterThan(StrIndex(F("searched"), whole), 0)
        return self.alias(searched=SEARCHED).filter(Contains(F("searched"), asked), is_whole)

    @property
    def is_searched(self) -> bool:
        return "searched" in self.query.annotations

    def may_enter(self) -> Self:
        """Those who may use the platform: the account-status gate, as a condition on rows."""
        return self.filter(is_active=True).exclude(status=User.Status.INACTIVE)

    def still(self, person: User) -> Self:
        """That person, as long as they may enter as what they were when they were read."""
        let_in = self.filter(pk=person.pk).may_enter()
        return let_in.filter(role=person.role, is_superuser=person.is_superuser)

    def by_name(self) -> Self:
        return self.order_by(*BY_NAME)


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


class User(Named, AbstractUser):
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

    # The same as ``is_platform_admin``, as a condition on rows.
    ADMINS: ClassVar = models.Q(role=Role.ADMIN) | models.Q(is_superuser=True)

    sign_outs = models.PositiveIntegerField(
        default=0, editable=False, help_text="How often everything they held was ended."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["username"]

    class Meta:
        db_table = "users"
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["first_name", "last_name", "email", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_ignoring_case",
                violation_error_message="A person with this address exists already.",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["first_name", "last_name", "email", "id"], name="user_by_name"),
            models.Index(fields=["role", "status"], name="user_by_role_and_status"),
            models.Index(fields=["status"], name="user_by_status"),
            models.Index(Lower("track"), name="user_by_track"),
            models.Index(fields=["date_joined"], name="user_by_date_joined"),
        ]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's check of a session of the admin site: one from before the last sign-out is void."""
        state = f"{self.password}:{self.sign_outs}"
        return salted_hmac("users.User.session", state, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_platform_admin(self) -> bool:
        """The one meaning of "admin": by role, or superuser. ``is_staff`` opens the admin site alone."""
        return self.is_superuser or self.role == Role.ADMIN

    @property
    def may_enter(self) -> bool:
        """The account-status gate: asked by link, code, refresh, every request and every socket."""
        return self.is_active and self.status != self.Status.INACTIVE


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
        # Whoever is erased is looked for in everybody's profile.
        indexes: ClassVar = [
            models.Index(Lower("guardian_email"), name="profile_by_guardian"),
            models.Index(Lower("supervisor_email"), name="profile_by_supervisor"),
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
        indexes: ClassVar = [
            models.Index(
                fields=["wwcc_expiry"], name="check_by_expiry", condition=models.Q(wwcc_expiry__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"Supervisor profile of {self.user_id}"
