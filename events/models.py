"""What happens when and where, and who comes."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone


class Event(models.Model):
    """A meeting that people register for, or that a link leads to."""

    class Type(models.TextChoices):
        IN_PERSON = "in-person", "In person"
        VIRTUAL = "virtual", "Virtual"

    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    long_description = models.TextField(blank=True)
    date = models.DateField()
    time = models.CharField(max_length=50, help_text="Free text, such as 18:00 or 6 to 8 pm.")
    location = models.CharField(max_length=255)
    type = models.CharField(max_length=20, choices=Type)
    cover_image = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001 - null on the wire
    register_link = models.URLField(blank=True, help_text="Where set, people register there and not with us.")
    capacity = models.IntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: no limit."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["date", "time", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(capacity__gte=1), name="event_capacity_at_least_1")
        ]
        indexes: ClassVar = [models.Index(fields=["date", "time", "id"], name="event_in_calendar_order")]

    def __str__(self) -> str:
        return self.title


class EventRegistration(models.Model):
    """Somebody comes to an event."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="registrations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="registrations")
    registered_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["registered_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="registration_once_per_event")
        ]
        indexes: ClassVar = [models.Index(fields=["registered_at"], name="registration_by_moment")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.event_id}"
