"""Rows below a row, brought along in its own query and made instances again: a prefetch without a query."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.db import models
from django.db.models import Aggregate, F, Func

from core.prepared import filling
from core.reading import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet


class Tuple(Func):
    """Several values as one JSON list. Of ``json``, not ``jsonb``, which takes longer to make."""

    function = "JSON_BUILD_ARRAY"
    output_field = models.JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_ARRAY", **extra)


class Parsed(models.TextField[Any, Any]):
    """JSON that comes as text, and is read by the quickest reader at hand; null is not read at all."""

    read_text = staticmethod(orjson.loads)

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        return None if value is None else self.read_text(value)


class PlainList(Aggregate):
    """All values of a group as a JSON list, in no order; null where there is none.

    As text: the driver's own reader of JSON is slower.
    """

    function = "JSON_AGG"
    output_field = Parsed()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(function)s(%(expressions)s)::text", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "%(function)s(JSON(%(expressions)s))"
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", template=template, **extra)


def listed(rows: QuerySet[Any, Any], per: str, value: Any) -> models.Subquery:
    """Return a subquery: the values of rows, which are those of one ``per``, as a JSON list."""
    return models.Subquery(rows.order_by().values(per).annotate(listed=PlainList(value)).values("listed"))


class Part:
    """One model whose columns stand in the list."""

    def __init__(self, path: str, model: type[models.Model], fields: list[Any], start: int) -> None:
        self.path = path
        self.above, _, self.name = path.rpartition("__")
        self.columns = [f"{path}__{field.name}" if path else field.name for field in fields]
        self.names = [field.attname for field in fields]
        self.places = slice(start, start + len(fields))
        self.key = [field.primary_key for field in fields].index(True)
        converters = [(place, converter_of(field)) for place, field in enumerate(fields)]
        self.converters = [(place, convert) for place, convert in converters if convert]
        self.fill = filling(model)

    def make(self, values: list[Any]) -> Any:
        """Return the instance; None where an outer join found no row."""
        own = values[self.places]
        if own[self.key] is None:
            return None
        for place, convert in self.converters:
            if own[place] is not None:
                own[place] = convert(own[place])
        return self.fill(self.names, own)


class Nested:
    """What stands below a row, as instances. ``rows`` refers to the row by ``OuterRef``.

    ``per`` is the column that does. ``columns`` are paths such as ``"text"`` and ``"author__first_name"``,
    each model's primary key among them; what is left out is deferred. Which row comes first is for the
    caller to say: an aggregate has no order.

    >>> rows = lambda: Link.objects.filter(student=OuterRef("pk"))
    >>> links = Nested(rows, "student", ["id", "notes", "adult__id", "adult__first_name"])
    >>> [links.read(student.links) for student in User.objects.annotate(links=links.listed())]
    """

    def __init__(self, rows: Callable[[], QuerySet[Any, Any]], per: str, columns: Iterable[str]) -> None:
        self.rows, self.per, self.columns = rows, per, set(columns)

    def listed(self) -> models.Subquery:
        """Return the subquery to annotate with."""
        value = Tuple(*(F(column) for part in self.parts for column in part.columns))
        return listed(self.rows(), self.per, value)

    def read(self, listed: list[list[Any]] | None) -> list[Any]:
        """Return the instances of what the query brought; none for None."""
        return [self.make(values) for values in listed or ()]

    def make(self, values: list[Any]) -> Any:
        made: dict[str, Any] = {}
        for part in self.parts:
            made[part.path] = instance = part.make(values)
            if part.path and made[part.above] is not None:
                attach(made[part.above], part.name, instance)
        return made[""]

    @cached_property
    def parts(self) -> list[Part]:
        """Return the models that come, by path: what leads to another stands before it."""
        parts, start = [], 0
        for path in sorted({column.rpartition("__")[0] for column in self.columns}):
            model = model_at(self.rows().model, path)
            prefix = f"{path}__" if path else ""
            # In the model's own order, which ``from_db`` takes for granted.
            fields = [field for field in columns_of(model) if prefix + field.name in self.columns]
            parts.append(Part(path, model, fields, start))
            start += len(fields)
        return parts


def relation_of(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)  # noqa: SLF001 - documented, as Model._meta


def model_at(model: type[models.Model], path: str) -> type[models.Model]:
    for name in path.split("__") if path else ():
        model = relation_of(model, name).related_model
    return model


def attach(above: models.Model, name: str, instance: models.Model | None) -> None:
    """Set what a relation leads to, as ``select_related`` does: also where it is nothing."""
    relation = relation_of(type(above), name)
    relation.set_cached_value(above, instance)
    if instance is not None and not relation.concrete:
        relation.remote_field.set_cached_value(instance, above)


def moment(text: str) -> datetime:
    """Read a moment as PostgreSQL writes it into JSON, or SQLite, which leaves out that it is UTC."""
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


CONVERTERS: Final[dict[type[models.Field[Any, Any]], Any]] = {
    models.DateTimeField: moment,
    models.DateField: date.fromisoformat,
    models.BooleanField: bool,
    models.UUIDField: uuid.UUID,
}


def converter_of(field: Any) -> Any:
    """Return what reads a column that JSON has no value for; None for the others."""
    return next((convert for kind, convert in CONVERTERS.items() if isinstance(field, kind)), None)
