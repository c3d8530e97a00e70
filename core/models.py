"""The tables that belong to no app: audit log, files, repeatable writes, when each periodic job is due."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone


class AuditEvent(models.Model):
    """Who did what to which object. Append-only: PostgreSQL refuses UPDATE and DELETE by a trigger.

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


class Upload(models.Model):
    """A stored file: whose, where, what. Written after the bytes are in the storage."""

    class State(models.TextChoices):
        STORED = "stored", "Stored"
        QUARANTINED = "quarantined", "Quarantined"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="uploads"
    )
    key = models.CharField(max_length=255, unique=True, help_text="Name in the storage.")
    filename = models.CharField(max_length=255, help_text="As the person named it.")
    size = models.BigIntegerField(help_text="Bytes.")
    mime_type = models.CharField(max_length=255)
    state = models.CharField(max_length=20, choices=State, default=State.STORED)
    scanned_at = models.DateTimeField(null=True, editable=False, help_text="Null: by no scanner yet.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-created_at"], name="upload_by_owner"),
            models.Index(fields=["id"], name="upload_unscanned", condition=models.Q(scanned_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(size__gte=0), name="upload_size_not_negative")
        ]

    def __str__(self) -> str:
        return self.filename


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
    """When a periodic job is due next. Whoever moves ``due_at`` on, runs it: nobody else does."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()
    last_result: models.JSONField[Any, Any] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
