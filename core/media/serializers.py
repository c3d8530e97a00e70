"""Uploads on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.media.fields import FileLinkField
from core.models import Upload
from core.serializers import WireModelSerializer


class FileSerializer(serializers.Serializer[Any]):
    """A file to be stored, as one part of a form."""

    file = serializers.FileField(help_text="At most FILE_UPLOAD_MAX_BYTES (26,214,400) bytes, not empty.")


class CoverSerializer(serializers.Serializer[Any]):
    """A picture to stand on top of something."""

    coverImage = serializers.FileField(  # noqa: N815
        source="cover_image", help_text="PNG, JPEG, GIF or WebP of at most 10 MB and 12.5 million pixels."
    )


class CoverLinkSerializer(serializers.Serializer[Any]):
    """Where the new cover lies."""

    coverImage = FileLinkField(source="cover_image")  # noqa: N815


class UploadSerializer(WireModelSerializer[Upload]):
    """A stored file. `size` is that of what is stored: a picture is written anew."""

    url = FileLinkField(source="key")

    class Meta:
        model = Upload
        fields = ["url", "filename", "size", "mimeType"]
        read_only_fields = fields
