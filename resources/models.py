"""What the programme hands out: documents, videos, templates, guides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone

from core.audience import AudienceQuerySet, audience_field
from core.models import Upload
from core.search import containing

if TYPE_CHECKING:
    from typing import Self

    from core.prepared import Slot

# Those of the trigram index, in its order (migration 0003).
SEARCHED: Final = ("title", "description")


class ResourceQuerySet(AudienceQuerySet["Resource"]):
    """Questions about many resources, of which the first is who sees them."""

    audience_column = "role"

    def with_file(self) -> Self:
        """Say of each how its file is called, how large and of which type it is, in the same query.

        Null where the file lies elsewhere.
        """
        told = JSONObject(filename="filename", size="size", mime_type="mime_type")
        return self.annotate(file=Subquery(Upload.objects.filter(key=OuterRef("file_url")).values(told=told)))

    def matching(self, text: str | Slot) -> Self:
        """Those in whose title or description the text occurs as it stands, whatever its case."""
        return containing(self, text, *SEARCHED)


class Resource(models.Model):
    """One file for one audience; ``role`` names the audience, as on the wire."""

    class Type(models.TextChoices):
        DOCUMENT = "document", "Document"
        VIDEO = "video", "Video"
        TEMPLATE = "template", "Template"
        GUIDE = "guide", "Guide"

    FILE_FOLDER: ClassVar = "resources/files"
    COVER_FOLDER: ClassVar = "resources/covers"

    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=10_000)
    type = models.CharField(max_length=20, choices=Type)
    role = audience_field()
    file_url = models.CharField(
        max_length=500, help_text="The key of the file in our storage, or a link to elsewhere."
    )
    cover_image = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001 - null on the wire
    download_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="resource_newest_first"),
            models.Index(fields=["role", "-created_at", "-id"], name="resource_by_role"),
            models.Index(fields=["type", "-created_at", "-id"], name="resource_by_type"),
            models.Index(fields=["file_url"], name="resource_by_file"),
            models.Index(fields=["cover_image"], name="resource_by_cover"),
        ]

    def __str__(self) -> str:
        return self.title


class ResourceDownload(models.Model):
    """That a person began to read a resource's file in some hour: it counts once. Kept for two days."""

    # Without an index of its own: the constraint's begins with it.
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="downloads", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="resource_downloads")
    hour = models.DateTimeField(help_text="Its beginning.")

    class Meta:
        ordering = ["hour", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["resource", "user", "hour"], name="resource_counts_once_a_person_and_hour"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["hour"], name="resource_download_by_hour")]

    def __str__(self) -> str:
        return f"{self.resource_id} by {self.user_id}"
