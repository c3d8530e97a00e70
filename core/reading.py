"""Rows on their way out: what a serializer makes of each is worked out once in a process, not once a request.

REST framework builds every field of a serializer anew for each request, and asks each of them about each
row in four calls. Most of ours do no more than to read one attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC
from functools import cache, cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rest_framework import fields, relations, serializers

if TYPE_CHECKING:
    from datetime import datetime

    from django.db import models

Read = Callable[[Any], Any]

# Fields of these modules know neither a request nor a viewer, so that all serializers can share them.
STATELESS_MODULES: Final = {fields.__name__, relations.__name__, serializers.__name__, "core.serializers"}
WITH_STATE: Final = (serializers.SerializerMethodField, serializers.HiddenField, serializers.FileField)


class Plan(NamedTuple):
    """How one field is read: by a function, by a method of the serializer, or by a field of its own."""

    name: str
    shared: Read | None = None
    method: str | None = None
    own: Any = None


class ReadsByPlan:
    """Gives a serializer its ``to_representation``; what is answered is the framework's to the byte.

    Which fields there are is asked once for each class: one that changes its fields by request cannot be one.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        if isinstance(instance, Mapping):
            document: dict[str, Any] = super().to_representation(instance)  # type: ignore[misc]
            return document
        document = {}
        for name, read in self._readers:
            try:
                document[name] = read(instance)
            except fields.SkipField:
                continue
        return document

    @cached_property
    def _readers(self) -> list[tuple[str, Read]]:
        return [(plan.name, self._reader(plan)) for plan in plans_of(type(self))]  # type: ignore[arg-type]  # a mixin of serializers

    def _reader(self, plan: Plan) -> Read:
        if plan.shared is not None:
            return plan.shared
        if plan.method is not None:
            method: Read = getattr(self, plan.method)
            return method
        field = deepcopy(plan.own)
        field.bind(plan.name, self)
        return asking(field)


@cache
def plans_of(kind: type[serializers.Serializer[Any]]) -> list[Plan]:
    """Return how each field of a serializer that is read is read, in their order."""
    prototype = kind()
    model = getattr(getattr(prototype, "Meta", None), "model", None)
    return [plan_of(field, model) for field in prototype.fields.values() if not field.write_only]


def plan_of(field: Any, model: type[models.Model] | None) -> Plan:
    name = field.field_name
    if type(field) is serializers.SerializerMethodField:
        return Plan(name, method=field.method_name)
    if not is_stateless(field):
        return Plan(name, own=field)
    if is_column(field, model):
        return Plan(name, shared=reading(attrgetter(field.source), writing(field)))
    return Plan(name, shared=asking(field))


def is_stateless(field: Any) -> bool:
    of_items = getattr(field, "child", None) or getattr(field, "child_relation", None)
    is_shared = type(field).__module__ in STATELESS_MODULES and not isinstance(field, WITH_STATE)
    if isinstance(field, serializers.BaseSerializer):
        return False
    return is_shared and (of_items is None or is_stateless(of_items))


def columns_of(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Return the columns of a model, in its own order."""
    return list(model._meta.concrete_fields)  # noqa: SLF001 - documented, as Model._meta


def is_column(field: Any, model: type[models.Model] | None) -> bool:
    """Tell whether a field stands for a column of the row itself, which is there and is no function."""
    return model is not None and field.source in {column.attname for column in columns_of(model)}


def asking(field: Any) -> Read:
    """Return what asks a field as the framework does."""

    def read(instance: Any) -> Any:
        value = field.get_attribute(instance)
        is_none = value is None or (isinstance(value, relations.PKOnlyObject) and value.pk is None)
        return None if is_none else field.to_representation(value)

    return read


def reading(get: Read, write: Read | None) -> Read:
    if write is None:
        return get

    def read(instance: Any) -> Any:
        value = get(instance)
        return None if value is None else write(value)

    return read


def writing(field: Any) -> Read | None:
    """Return how a field writes a value; None where JSON writes it as it is."""
    write = field.to_representation
    if write.__func__ is fields.DateTimeField.to_representation:
        return lambda moment: in_utc(moment, write)
    for kind, plain in PLAIN:
        if write.__func__ is kind.to_representation:
            return lambda value: value if type(value) is plain else write(value)
    return write  # type: ignore[no-any-return]


PLAIN: Final[list[tuple[Any, type]]] = [
    (fields.CharField, str),
    (fields.IntegerField, int),
    (fields.BooleanField, bool),
]


def in_utc(moment: datetime, write: Read) -> Any:
    """Write a moment as the framework does where the server's clock is read, which is in UTC."""
    return f"{moment.isoformat()[:-6]}Z" if moment.tzinfo is UTC else write(moment)
