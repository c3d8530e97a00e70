"""Stored files, and whose they are."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


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
            models.Index(fields=["id"], name="upload_quarantined", condition=models.Q(state="quarantined")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(size__gte=0), name="upload_size_not_negative")
        ]

    def __str__(self) -> str:
        return self.key
