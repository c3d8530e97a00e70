"""Stored files on the wire."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from rest_framework import serializers

from core.uploads.links import Links, links_of

WEB: Final = ("http://", "https://")


class FileLinkField(serializers.CharField):
    """The link to a stored file, for whoever asks; the column holds its key.

    A row made by hand may hold a web link to elsewhere, which is told as it is, or nothing.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        key = str(value)
        if key.startswith(WEB):
            return key
        if not key or "://" in key:
            return None if self.allow_null else ""
        return self.links.to(key)

    @cached_property
    def links(self) -> Links:
        return links_of(self.context["request"])
