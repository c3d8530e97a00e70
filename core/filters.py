"""Query parameters of lists. They narrow a list and nothing else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EMPTY_VALUES
from django.db import models
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend

from core.prepared import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

YES: Final = frozenset({"true", "True", "1"})


class ListFilterBackend(DjangoFilterBackend):
    """Leaves a viewset's actions on one object alone (B83)."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        if getattr(view, "detail", False):
            return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class FlagField(forms.CharField):
    """``true`` where a flag was set; anything else is as good as nothing."""

    def clean(self, value: Any) -> str:
        return "true" if super().clean(value) in YES else ""


class FlagFilter(filters.CharFilter):
    """Narrows a list where it is set."""

    field_class = FlagField


class Narrowing(NamedTuple):
    """How a list is narrowed: by which filters, and by what.

    ``shape`` names the filters, with their values where they are one of few; of others it has None.
    """

    shape: tuple[tuple[str, Any], ...]
    values: dict[str, Any]


def narrowing_of(kind: type[filters.FilterSet], sent: Mapping[str, str]) -> Narrowing | None:
    """Return how a list is narrowed by what was sent; None where that is refused."""
    shape, values = [], {}
    for name, field in fields_of(kind).items():  # type: ignore[arg-type]  # a class can be hashed
        if name not in sent:
            continue
        try:
            value = field.clean(sent[name])
        except ValidationError:
            return None
        if value in EMPTY_VALUES:
            continue
        is_one_of_few = isinstance(field, (forms.ChoiceField, FlagField))
        shape.append((name, value if is_one_of_few else None))
        if not is_one_of_few:
            values[name] = value
    return Narrowing(tuple(shape), values)


@cache
def fields_of(kind: type[filters.FilterSet]) -> dict[str, forms.Field]:
    """Return what reads each query parameter: of single values, so that all requests can share them."""
    fields: dict[str, forms.Field] = kind().form.fields
    return fields


def narrowed(
    rows: QuerySet[Any], kind: type[filters.FilterSet], shape: tuple[tuple[str, Any], ...]
) -> QuerySet[Any]:
    """Return the rows that are left, with slots for the values that are not in the shape."""
    filterset = kind(queryset=rows)
    for name, value in shape:
        given = Slot(name, models.TextField()) if value is None else value
        rows = filterset.filters[name].filter(rows, given)
    return rows
