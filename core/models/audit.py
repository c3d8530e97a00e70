"""Who did what: the audit log."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone


class AuditEvent(models.Model):
    """Who did what to which object. Append-only: PostgreSQL refuses UPDATE, DELETE and TRUNCATE by triggers.

    One function of the database forgets what is old (``core.retention``).

    Actor and object are plain ids without a foreign key, and values are kept only where they
    are not personal, so that erasing a person needs no change here (docs/adr/0007).
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor_id = models.BigIntegerField(
        null=True, help_text="Null: nobody was signed in, or the system itself."
    )
    action = models.CharField(max_length=50)
    object_type = models.CharField(max_length=50, blank=True)
    object_id = models.CharField(max_length=50, blank=True)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(
        null=True, help_text="From where, kept of admins' acts alone. Null: of anybody else's."
    )

    class Meta:
        ordering = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["actor_id", "-at"], name="audit_by_actor"),
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_by_object"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
            models.Index(fields=["object_id", "-at"], name="audit_by_object_id"),
            models.Index(fields=["request_id", "-at"], name="audit_by_request"),
            models.Index(
                fields=["address", "-at"],
                name="audit_by_address",
                condition=models.Q(address__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}".strip()
