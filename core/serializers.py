"""How models meet the wire: the name in ``Meta.fields`` is the name in JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils import html

from core.reading import ReadsByPlan

if TYPE_CHECKING:
    from datetime import datetime

Row = TypeVar("Row", bound=models.Model)
BOUNDARY = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake_case(name: str) -> str:
    """Return the attribute's name for a wire name: ``joinedAt`` is ``joined_at``."""
    return BOUNDARY.sub(r"_\1", name).lower()


class StrictCharField(serializers.CharField):
    """Text that was sent as text: a number or a truth value is refused, not written out."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class StrictEmailField(StrictCharField, serializers.EmailField):
    """An address that was sent as text."""


@extend_schema_field(OpenApiTypes.URI)
class WebLinkField(StrictCharField):
    """An http or https address, such as people may be led to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(
            URLValidator(schemes=["http", "https"], message="Enter an address that begins with https://.")
        )


class MomentField(serializers.DateTimeField):
    """A moment with its offset from UTC: without one nobody knows whose clock was read."""

    default_error_messages = {
        "naive": "Send a timestamp with its offset from UTC, such as 2026-11-25T09:30:00Z."
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        return super().enforce_timezone(value)


class PlainBooleanField(serializers.BooleanField):
    """A truth value that is absent from a form as it is absent from JSON: not a silent no."""

    default_empty_html = serializers.empty


class BoundedListField(serializers.ListField):
    """A list of at most ``max_length`` items, counted before any of them is looked at.

    The framework validates every item of a million first, and answers a sentence about each.
    """

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self.most = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        if html.is_html_input(data):
            data = html.parse_html_list(data, default=[])
        if isinstance(data, list) and len(data) > self.most:
            self.fail("max_length", max_length=self.most)
        items: list[Any] = super().to_internal_value(data)
        return items


class WireModelSerializer(ReadsByPlan, serializers.ModelSerializer[Row]):
    """A ``ModelSerializer`` whose ``Meta.fields`` are the names on the wire.

    A camelCase name stands for the snake_case attribute of the same words; a snake_case
    name stands for itself. Types, length limits, choices and uniqueness come from the
    model. Any other pairing is written out: ``extra_kwargs = {"url": {"source": "file_url"}}``.
    """

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: StrictCharField,
        models.TextField: StrictCharField,
        models.EmailField: StrictEmailField,
        models.BooleanField: PlainBooleanField,
    }

    def get_extra_kwargs(self) -> dict[str, Any]:
        extra_kwargs: dict[str, Any] = super().get_extra_kwargs()
        for name in self.Meta.fields:
            if name not in self._declared_fields and snake_case(name) != name:
                extra_kwargs.setdefault(name, {}).setdefault("source", snake_case(name))
        return extra_kwargs
