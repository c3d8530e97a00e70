"""Queries that are put into words once in a process, and asked many times with other values.

Django works the SQL of a query out anew each time, which takes longer than PostgreSQL takes to answer most of
ours. A queryset is still where a query is written; a Slot stands where the value will.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models.query import QuerySet
    from django.db.models.sql.compiler import SQLCompiler


class Slot(Expression):
    """The place of a value in a query. ``field`` says what kind of column it is compared with."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        return "%s", [self]

    def fill(self, values: dict[str, Any]) -> Any:
        return self.output_field.get_db_prep_value(values[self.name], connection)


class Words(NamedTuple):
    """A query in SQL, and how its rows are read."""

    sql: str
    parameters: tuple[Any, ...]
    converters: list[tuple[int, list[Any], Any]]
    compiler: SQLCompiler


class Prepared:
    """A query with slots. ``build`` returns its queryset and is called once.

    ``rows`` are tuples, in the order of ``values_list``; ``objects`` are instances with what
    ``select_related`` and ``annotate`` bring. Nothing is prefetched, and nothing is kept between two calls.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self.build = build

    @cached_property
    def words(self) -> Words:
        query = self.build().query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        selected = [expression for expression, *_ in compiler.select]
        converters = [
            (place, functions, expression)
            for place, (functions, expression) in compiler.get_converters(selected).items()
        ]
        return Words(sql, tuple(parameters), converters, compiler)

    def rows(self, **values: Any) -> list[Any]:
        """Ask, and return all rows as sequences."""
        words = self.words
        parameters = [part.fill(values) if isinstance(part, Slot) else part for part in words.parameters]
        with connection.cursor() as cursor:
            cursor.execute(words.sql, parameters)
            found: list[Any] = cursor.fetchall()
        return [converted(row, words.converters) for row in found] if words.converters else found

    def row(self, **values: Any) -> Any:
        """Ask, and return the first row; None where there is none."""
        rows = self.rows(**values)
        return rows[0] if rows else None

    def objects(self, **values: Any) -> list[Any]:
        """Ask, and return all rows as instances."""
        make = self.maker
        return [make(row) for row in self.rows(**values)]

    def object(self, **values: Any) -> Any:
        """Ask, and return the first instance; None where there is none."""
        rows = self.rows(**values)
        return self.maker(rows[0]) if rows else None

    @cached_property
    def maker(self) -> Callable[[Any], Any]:
        """Return what makes an instance of a row, as ``ModelIterable`` does."""
        compiler = self.words.compiler
        klass, select = compiler.klass_info, compiler.select
        places = klass["select_fields"]
        first, last = places[0], places[-1] + 1
        names = [column[0].target.attname for column in select[first:last]]
        populators = get_related_populators(klass, select, connection.alias)  # type: ignore[call-arg]  # of Django 6
        annotations = list((compiler.annotation_col_map or {}).items())

        def make(row: Any) -> Any:
            instance = klass["model"].from_db(connection.alias, names, row[first:last])
            for populator in populators:
                populator.populate(row, instance)
            for name, place in annotations:
                setattr(instance, name, row[place])
            return instance

        return make


def converted(row: Any, converters: list[tuple[int, list[Any], Any]]) -> list[Any]:
    values = list(row)
    for place, functions, expression in converters:
        for function in functions:
            values[place] = function(values[place], expression, connection)
    return values
