"""What makes writes repeatable, and when each periodic job is due."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class IdempotentWrite(models.Model):
    """A write that its sender may send again: by which key, what it said, what it made.

    Key and body are kept as keyed digests: either may name a child, whose erasure leaves this row
    of somebody else where it is. Committed with the object or not at all.
    """

    # Without an index of its own: the constraint's begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64, help_text="Digest of the Idempotency-Key.")
    fingerprint = models.CharField(max_length=64, help_text="Digest of method, path and body.")
    object_id = models.CharField(max_length=50, blank=True, help_text="What was made.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="one_write_a_person_and_key")
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotent_write_by_age")]

    def __str__(self) -> str:
        return f"write {self.pk}"


class PeriodicRun(models.Model):
    """When a periodic job is due next. Whoever moves ``due_at`` on, has it run: nobody else does."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()
    running_until = models.DateTimeField(null=True, help_text="While somebody runs it: until when at most.")
    last_result: models.JSONField[Any, Any] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
