"""What the programme hands out: documents, videos, templates, guides."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from core.audience import AudienceQuerySet, audience_field


class ResourceQuerySet(AudienceQuerySet["Resource"]):
    """Questions about many resources."""

    audience_column = "role"


class Resource(models.Model):
    """One file for one audience; ``role`` names the audience, as on the wire."""

    class Type(models.TextChoices):
        DOCUMENT = "document", "Document"
        VIDEO = "video", "Video"
        TEMPLATE = "template", "Template"
        GUIDE = "guide", "Guide"

    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=20, choices=Type)
    role = audience_field()
    file_url = models.CharField(max_length=500, help_text="Where the file lies.")
    cover_image = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001 - null on the wire
    download_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-created_at", "-id"], name="resource_newest_first")]

    def __str__(self) -> str:
        return self.title
