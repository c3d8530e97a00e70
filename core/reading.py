"""Rows on their way out: what a serializer makes of each is worked out once in a process, not once a request.

REST framework builds every field of a serializer anew for each request, and asks each of them about each
row in four calls. Most of ours do no more than to read one attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from datetime import UTC, date
from functools import cache, cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db.models.manager import BaseManager
from rest_framework import fields, relations, serializers
from rest_framework.settings import api_settings

if TYPE_CHECKING:
    from datetime import datetime

    from django.db import models

Read = Callable[[Any], Any]

# What these modules do knows neither a request nor a viewer: all serializers can share such fields.
STATELESS_MODULES: Final = {fields.__name__, relations.__name__, serializers.__name__, "core.serializers"}
# What a serializer may have kept of its own fields; a prototype of one below another has kept nothing yet.
OF_ONE: Final = ("fields", "_readers", "_readers_of_others")
WITH_STATE: Final = (serializers.SerializerMethodField, serializers.HiddenField, serializers.FileField)


class Plan(NamedTuple):
    """How one field is read: by a function, by a method of the serializer, or by a field of its own."""

    name: str
    shared: Read | None = None
    method: str | None = None
    own: Any = None
    plain: type | None = None
    source: str = ""


class Block:
    """The fields of a class whose values are written as they are: all are read at once."""

    def __init__(self, plans: list[Plan]) -> None:
        self.skeleton: dict[str, Any] = {plan.name: None for plan in plans}
        plain = [plan for plan in plans if plan.plain]
        self.names = [plan.name for plan in plain]
        self.kinds = [(plan.plain, type(None)) for plan in plain]
        self.get = attrgetter(*[plan.source for plan in plain], "__class__")
        self.known: set[tuple[type, ...]] = set()

    def read(self, instance: Any) -> dict[str, Any] | None:
        """Return a document in which these fields are filled in; None where one is not what it should be."""
        try:
            *values, _ = self.get(instance)
        except (AttributeError, ObjectDoesNotExist):
            return None
        kinds = tuple(map(type, values))
        if kinds not in self.known:
            if not all(kind in allowed for kind, allowed in zip(kinds, self.kinds, strict=True)):
                return None
            self.known.add(kinds)
        document = self.skeleton.copy()
        document.update(zip(self.names, values, strict=True))
        return document


class ReadsByPlan:
    """Gives a serializer its ``to_representation``; what is answered is the framework's to the byte.

    Which fields there are is asked once for each class: one that changes its fields by request cannot be one.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        if isinstance(instance, Mapping):
            document: dict[str, Any] = super().to_representation(instance)  # type: ignore[misc]
            return document
        block = block_of(type(self))  # type: ignore[arg-type]  # a mixin of serializers
        begun = block.read(instance)
        document = block.skeleton.copy() if begun is None else begun
        for name, read in self._readers if begun is None else self._readers_of_others:
            try:
                document[name] = read(instance)
            except fields.SkipField:
                del document[name]
        return document

    @cached_property
    def _readers(self) -> list[tuple[str, Read]]:
        return [(plan.name, self._reader(plan)) for plan in plans_of(type(self))]  # type: ignore[arg-type]  # as above

    @cached_property
    def _readers_of_others(self) -> list[tuple[str, Read]]:
        return [(plan.name, self._reader(plan)) for plan in plans_of(type(self)) if not plan.plain]  # type: ignore[arg-type]

    def _reader(self, plan: Plan) -> Read:
        if plan.shared is not None:
            return plan.shared
        if plan.method is not None:
            method: Read = getattr(self, plan.method)
            return method
        own = Own(plan.own, self)
        if is_of_attributes(plan.own):
            return reading(getting(plan.own), own.write)
        return reading(getting(own.field), own.write)


class Own:
    """A field of one serializer, which is made when it first has something to write."""

    def __init__(self, prototype: Any, parent: Any) -> None:
        self.prototype, self.parent = prototype, parent
        self.is_list = type(prototype) is serializers.ListSerializer

    @cached_property
    def field(self) -> Any:
        if isinstance(self.prototype, serializers.BaseSerializer):
            return copied(self.prototype, self.parent)
        field = deepcopy(self.prototype)
        field.bind(self.prototype.field_name, self.parent)
        return field

    def write(self, value: Any) -> Any:
        if self.is_list:
            rows = value.all() if isinstance(value, BaseManager) else value
            return self.field.to_representation(rows) if rows else []
        return self.field.to_representation(value)


def copied(prototype: Any, parent: Any) -> Any:
    """Return a serializer below another, for one request.

    It is copied and not made anew, for which each of its fields would be made, too. So ``__init__`` and
    ``bind`` of one below another may keep nothing of a request.
    """
    field = copy(prototype)
    for name in OF_ONE:
        vars(field).pop(name, None)
    field.parent = parent
    if isinstance(field, serializers.ListSerializer):
        field.child = copied(prototype.child, field)
    return field


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
    get = attrgetter(field.source) if is_column(field, model) else getting(field)
    plain = kind_of_plain(field) if is_attribute(field, model) else None
    return Plan(name, shared=reading(get, writing(field)), plain=plain, source=field.source)


def is_attribute(field: Any, model: type[models.Model] | None) -> bool:
    """Tell whether a field stands for an attribute of the row, and not for what a property works out."""
    works_out = isinstance(getattr(model, field.source, None), property)
    return is_of_attributes(field) and len(field.source_attrs) == 1 and not works_out


@cache
def block_of(kind: type[serializers.Serializer[Any]]) -> Block:
    return Block(plans_of(kind))


def is_stateless(field: Any) -> bool:
    """Tell whether what a field does to read and to write is the framework's own, or ours for everybody."""
    if isinstance(field, (*WITH_STATE, serializers.BaseSerializer)):
        return False
    deeds = (type(field).get_attribute, type(field).to_representation)
    of_items = getattr(field, "child", None) or getattr(field, "child_relation", None)
    is_known = all(deed.__module__ in STATELESS_MODULES for deed in deeds)
    return is_known and (of_items is None or is_stateless(of_items))


def columns_of(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Return the columns of a model, in its own order."""
    return list(model._meta.concrete_fields)  # noqa: SLF001 - documented, as Model._meta


def is_column(field: Any, model: type[models.Model] | None) -> bool:
    """Tell whether a field stands for a column of the row itself, which is there and is no function."""
    return model is not None and field.source in {column.attname for column in columns_of(model)}


def is_of_attributes(field: Any) -> bool:
    """Tell whether a field reads its value where its source says, as most do."""
    return type(field).get_attribute is fields.Field.get_attribute


def getting(field: Any) -> Read:
    """Return what gets a field's value. Where attributes and keys are not all, the framework is asked."""
    ask: Read = field.get_attribute
    if not is_of_attributes(field):
        return partial(related, field) if isinstance(field, relations.RelatedField) else ask
    steps: list[str] = field.source_attrs
    is_known_default = field.default is not fields.empty and not callable(field.default)

    def get(instance: Any) -> Any:
        value = instance
        try:
            for step in steps:
                if value is None and is_known_default:
                    return field.default
                value = value[step] if type(value) is dict else getattr(value, step)
                if callable(value):
                    return ask(instance)
        except (AttributeError, KeyError, ObjectDoesNotExist):
            return ask(instance)
        return value

    return get


def related(field: Any, instance: Any) -> Any:
    """Return what a relation leads to; None also where the framework would return a key that is none."""
    value = field.get_attribute(instance)
    return None if isinstance(value, relations.PKOnlyObject) and value.pk is None else value


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
    if write.__func__ is fields.DateField.to_representation:
        return lambda day: day.isoformat() if type(day) is date else write(day)
    plain = kind_of_plain(field)
    if plain is None:
        return write  # type: ignore[no-any-return]
    return lambda value: value if type(value) is plain else write(value)


def kind_of_plain(field: Any) -> type | None:
    """Return the type of values that a field writes as they are; None where there is no such type."""
    write = field.to_representation.__func__
    if write is fields.ChoiceField.to_representation:
        return str if all(name == value for name, value in field.choice_strings_to_values.items()) else None
    if write is fields.BigIntegerField.to_representation:
        as_text = getattr(field, "coerce_to_string", api_settings.COERCE_BIGINT_TO_STRING)
        return None if as_text else int
    return next((plain for kind, plain in PLAIN if write is kind.to_representation), None)


PLAIN: Final[list[tuple[Any, type]]] = [
    (fields.CharField, str),
    (fields.IntegerField, int),
    (fields.BooleanField, bool),
]


def in_utc(moment: datetime, write: Read) -> Any:
    """Write a moment as the framework does where the server's clock is read, which is in UTC."""
    return f"{moment.isoformat()[:-6]}Z" if moment.tzinfo is UTC else write(moment)
