"""Resources on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from rest_framework import serializers

from core.media.fields import FileLinkField
from core.serializers import WebLinkField, WireModelSerializer
from resources.models import Resource

# What the file's own row tells; a file that lies elsewhere has none.
UNKNOWN_ELSEWHERE: Final[dict[str, Any]] = {"read_only": True, "default": None, "allow_null": True}


class ResourceSerializer(WireModelSerializer[Resource]):
    """A resource, whole, in lists too."""

    # Rows come from ``with_file``.

    url = FileLinkField(source="file_url", help_text="A link to the file, for whoever asked, for some hours.")
    coverImage = FileLinkField(source="cover_image", allow_null=True)  # noqa: N815
    fileName = serializers.CharField(  # noqa: N815
        source="file.filename", **UNKNOWN_ELSEWHERE, help_text="Null: the file is not with us."
    )
    fileSize = serializers.IntegerField(  # noqa: N815
        source="file.size", **UNKNOWN_ELSEWHERE, help_text="Bytes."
    )
    mimeType = serializers.CharField(source="file.mime_type", **UNKNOWN_ELSEWHERE)  # noqa: N815

    class Meta:
        model = Resource
        fields = [
            *("id", "title", "type", "role", "url", "coverImage", "description", "download_count"),
            *("created_at", "updated_at", "fileName", "fileSize", "mimeType"),
        ]
        read_only_fields = fields


class ResourceWriteSerializer(WireModelSerializer[Resource]):
    """What admins write: a form with the file; without one, a change may be JSON."""

    file = serializers.FileField(help_text="At most FILE_UPLOAD_MAX_BYTES (26,214,400) bytes, not empty.")

    class Meta:
        model = Resource
        fields = ["title", "description", "type", "role", "file"]
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {
            "role": {"required": True, "help_text": "For whom it is."}
        }


class LinkedResourceSerializer(WireModelSerializer[Resource]):
    """A resource that lies elsewhere, as a row of a table has it."""

    link = WebLinkField(source="file_url", max_length=500)

    class Meta:
        model = Resource
        fields = ["title", "description", "type", "role", "link"]
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {"role": {"required": True}}
