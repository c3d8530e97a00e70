"""How a person wants to be told of things, and whether their mailbox takes mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from typing import Self


class NotificationSettings(models.Model):
    """In which language, by which clock, and when not. Blank: as the programme does."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_settings"
    )
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, help_text="An IANA name.")
    quiet_from = models.TimeField(null=True, help_text="By the person's own clock. Null: never quiet.")
    quiet_until = models.TimeField(null=True)

    class Meta:
        verbose_name_plural = "notification settings"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_begin_and_end",
            )
        ]

    def __str__(self) -> str:
        return f"Settings of {self.person_id}"


class NotificationChoice(models.Model):
    """Of which kind of thing a person wants mail at once, daily, or none. No row: as is usual."""

    class Pace(models.TextChoices):
        NOW = "now", "At once"
        DAILY = "daily", "Once a day"
        OFF = "off", "Not at all"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_choices", db_index=False
    )
    kind = models.CharField(max_length=40)
    pace = models.CharField(max_length=10, choices=Pace)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "kind"], name="one_choice_a_person_and_kind")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} wants {self.kind} {self.pace}"


class MailTroubleQuerySet(models.QuerySet["MailTrouble"]):
    """Questions about many mailboxes."""

    def standing(self) -> Self:
        """What has not been lifted."""
        return self.filter(lifted_at=None)


class MailTrouble(models.Model):
    """A mailbox gave mail back, or its owner reported some as spam: it gets no more.

    It counts until it is lifted, and as long as the person has that address. What was lifted is kept: mail
    services tell late, and again.
    """

    class Cause(models.TextChoices):
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Reported as spam"

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_trouble")
    address = models.EmailField(max_length=254, help_text="Where it happened.")
    cause = models.CharField(max_length=20, choices=Cause)
    detail = models.CharField(max_length=100, blank=True, help_text="The service's code for it.")
    happened_at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(
        null=True, help_text="What happened before counts no more. Null: it stands."
    )

    objects = MailTroubleQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-id"]

    def __str__(self) -> str:
        return f"{self.cause}: {self.person_id}"

    def counts_at(self, address: str) -> bool:
        """Return whether it stands, and happened there."""
        return self.lifted_at is None and self.address.lower() == address.lower()
