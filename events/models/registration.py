"""Who comes to an event, and who waits for a seat."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Seated(models.Manager["EventRegistration"]):
    """Those who have a seat."""

    def get_queryset(self) -> models.QuerySet[EventRegistration]:
        return super().get_queryset().filter(waiting_since=None)


class Waiting(models.Manager["EventRegistration"]):
    """Those who wait for one, first come first."""

    def get_queryset(self) -> models.QuerySet[EventRegistration]:
        rows = super().get_queryset().exclude(waiting_since=None)
        return rows.order_by("waiting_since", "pk")


class EventRegistration(models.Model):
    """Somebody comes to an event, or waits for a seat: ``objects`` are the seats alone.

    Both are one table. So nobody both comes and waits, which the database holds; and to give somebody a
    seat only changes their row, so that whoever holds an event never waits for a person's row (an
    insert would, and could meet an erasure that holds the person and waits for the event).
    """

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="registrations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="registrations")
    registered_at = models.DateTimeField(default=timezone.now, editable=False)
    waiting_since = models.DateTimeField(null=True, editable=False, help_text="Null: has a seat.")
    attended_at = models.DateTimeField(
        null=True, editable=False, help_text="When an admin marked that they came. Null: not marked."
    )

    objects: ClassVar[Seated] = Seated()
    waiting: ClassVar[Waiting] = Waiting()
    everything: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        ordering = ["registered_at", "id"]
        default_manager_name = "objects"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "user"], name="registration_once_per_event"),
            models.CheckConstraint(
                condition=Q(waiting_since=None) | Q(attended_at=None), name="who_waits_has_not_attended"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["registered_at"],
                name="registration_by_moment",
                condition=Q(waiting_since__isnull=True),
            ),
            models.Index(
                fields=["event", "registered_at", "id"],
                name="seats_in_order",
                condition=Q(waiting_since__isnull=True),
            ),
            models.Index(
                fields=["event", "waiting_since", "id"],
                name="waitlist_in_order",
                condition=Q(waiting_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.event_id}"
