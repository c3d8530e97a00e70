"""News for everybody, or for one role."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from core.audience import AudienceQuerySet, audience_field


class Announcement(models.Model):
    """One piece of news. The author is a signature, not an account."""

    title = models.CharField(max_length=255)
    summary = models.TextField()
    content = models.TextField(blank=True)
    author = models.CharField(max_length=100, default="Program Team")
    audience = audience_field()
    link = models.URLField(null=True, blank=True)  # noqa: DJ001 - null on the wire
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AudienceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-created_at", "-id"], name="announcement_newest_first")]

    def __str__(self) -> str:
        return self.title
