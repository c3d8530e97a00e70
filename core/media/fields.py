"""Stored files on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.uploads.links import links_of


class FileLinkField(serializers.CharField):
    """The link to a stored file, for whoever asks; the column holds its key.

    A row made by hand may hold a link to elsewhere, which is told as it is, or nothing.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        key = str(value)
        if not key or "://" in key:
            return key or None
        return links_of(self.context["request"]).to(key)
