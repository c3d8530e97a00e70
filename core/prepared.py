"""Queries that are put into words once in a process, and asked many times with other values.

Django works the SQL of a query out anew each time, which takes longer than PostgreSQL takes to answer most of
ours. A queryset is still where a query is written; a Slot stands where the value will.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from datetime import date
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from django.db.models.expressions import Expression, Func
from django.db.models.query import get_related_populators
from django.db.models.signals import post_init, pre_init
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models.query import QuerySet
    from django.db.models.sql.compiler import SQLCompiler


class Slot(Expression):
    """The place of a value in a query. ``field`` says what kind of column it is compared with."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name, self.plain = name, kind_as_it_is(field)

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        return "%s", [self]

    def date(self) -> Slot:
        """Return the place of a moment's day, in UTC."""
        return Slot(self.name, models.DateField())

    def fill(self, values: dict[str, Any]) -> Any:
        value = values[self.name]
        return value if type(value) is self.plain else self.output_field.get_db_prep_value(value, connection)


class Numbers(Slot):
    """The place of a list of whole numbers."""

    def __init__(self, name: str) -> None:
        super().__init__(name, models.BigIntegerField())
        self.plain = list


class Among(Func):
    """Whether a number is one of ``Numbers``. Of PostgreSQL alone."""

    output_field = models.BooleanField()

    def as_sql(self, compiler: SQLCompiler, *args: Any, **extra: Any) -> Any:
        (number, of_number), (numbers, of_numbers) = map(compiler.compile, self.source_expressions)
        return f"{number} = ANY({numbers})", (*of_number, *of_numbers)


def kind_as_it_is(field: Any) -> type | None:
    """Return the type of values that a column takes as they are, where it is one of the usual."""
    takes = type(field).get_prep_value
    for kind, plain in AS_THEY_ARE:
        if isinstance(field, kind) and takes is kind.get_prep_value:
            return plain
    return None


AS_THEY_ARE: Final[list[tuple[Any, type]]] = [
    (models.IntegerField, int),
    (models.CharField, str),
    (models.TextField, str),
]
PLACE: Final = re.compile("%[s%]")
# A date, with or without a time, as SQLite is given it.
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?")
PREPARING: Final = ContextVar("preparing", default=False)


def this_moment() -> Any:
    """Return the clock as conditions on rows read it: while a query is prepared, the place of the moment."""
    return Slot("now", models.DateTimeField()) if PREPARING.get() else timezone.now()


def value_of(value: Any) -> Slot | models.Value:
    """Return a value as an expression; a slot is one."""
    return value if isinstance(value, Slot) else models.Value(value)


class Words(NamedTuple):
    """A query in SQL, and how its rows are read. Without SQL where no row can ever be found."""

    sql: str
    parameters: tuple[Any, ...]
    readers: list[Reader]
    compiler: SQLCompiler


class Reader(NamedTuple):
    """How one column of a row is read; ``keeps_null`` where null is null, and nobody has to be asked."""

    place: int
    keeps_null: bool
    read: Callable[[Any], Any]


class Prepared:
    """A query with slots. ``build`` returns its queryset and is called once.

    ``rows`` are tuples, in the order of ``values_list``; ``objects`` are instances with what
    ``select_related`` and ``annotate`` bring. Nothing is prefetched, and nothing is kept between two calls.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], *, is_planned_anew: bool = False) -> None:
        """``is_planned_anew`` where the best plan depends on the values."""
        self.build, self.is_planned_anew = build, is_planned_anew

    @cached_property
    def words(self) -> Words:
        preparing = PREPARING.set(True)
        try:
            compiler = self.build().query.get_compiler(connection=connection)
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return Words("", (), [], compiler)
        finally:
            PREPARING.reset(preparing)
        if any(stands_still(part) for part in parameters):
            raise TypeError("A prepared query would be asked with this moment for ever: ask this_moment().")
        selected = [expression for expression, *_ in compiler.select]
        return Words(*spoken(sql, tuple(parameters)), readers_of(compiler, selected), compiler)

    def rows(self, **values: Any) -> list[Any]:
        """Ask, and return all rows as sequences."""
        return self.converted(self.ask(self.words.sql, values, is_kept=True))

    def ask(self, sql: str, values: dict[str, Any], *, is_kept: bool) -> list[Any]:
        if not self.words.sql:
            return []
        filled = {"now": timezone.now(), **values}
        parts = self.words.parameters
        parameters = [part.fill(filled) if isinstance(part, Slot) else part for part in parts]
        database = connections[DEFAULT_DB_ALIAS]
        with database.cursor() as cursor:
            if is_kept and not self.is_planned_anew:
                execute(database, cursor, sql, parameters)
            else:
                cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def converted(self, rows: list[Any]) -> list[Any]:
        readers = self.words.readers
        return [converted(row, readers) for row in rows] if readers else rows

    def first_rows(self, size: int, **values: Any) -> list[Any]:
        """Ask for the first rows, as sequences."""
        return self.converted(self.ask(f"{self.words.sql} LIMIT {size:d}", values, is_kept=False))

    def count(self, **values: Any) -> int:
        """Ask how many rows there are."""
        sql = f"SELECT COUNT(*) FROM ({self.words.sql}) counted"  # noqa: S608
        rows = self.ask(sql, values, is_kept=True)
        return int(rows[0][0]) if rows else 0

    def sum_of(self, column: str, /, **values: Any) -> int:
        """Ask what the whole numbers of a column come to."""
        sql = f"SELECT COALESCE(SUM({column}), 0) FROM ({self.words.sql}) summed"  # noqa: S608
        rows = self.ask(sql, values, is_kept=True)
        return int(rows[0][0]) if rows else 0

    def window(self, start: int, size: int, **values: Any) -> list[Any]:
        """Ask for ``size`` rows after the first ``start``, and return them as instances.

        Later pages are planned each time: nobody knows beforehand how far their rows lie.
        """
        sql = f"{self.words.sql} LIMIT {size:d} OFFSET {start:d}"
        rows = self.ask(sql, values, is_kept=start == 0)
        make = self.maker
        return [make(row) for row in self.converted(rows)]

    def sorted_window(
        self, order: tuple[str, ...], start: int, size: int, *, most: int, **values: Any
    ) -> tuple[int, list[Any]]:
        """Find all rows, but ``most`` at most; return how many, and a window of them in order as instances.

        They are 0 also where the window is behind the last. ``order`` are columns that the query selects.
        """
        columns = ", ".join(map(connection.ops.quote_name, order))
        # Planned as if all were wanted: told of the limit, PostgreSQL may read the table, and to its end.
        everything = f"WITH everything AS MATERIALIZED ({self.words.sql})"
        found = f"SELECT *, COUNT(*) OVER () FROM (SELECT * FROM everything LIMIT {most:d}) found"  # noqa: S608
        sql = f"{everything} {found} ORDER BY {columns} LIMIT {size:d} OFFSET {start:d}"
        rows = self.ask(sql, values, is_kept=False)
        make = self.maker
        return (rows[0][-1] if rows else 0), [make(row) for row in self.converted(rows)]

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
        populators = quick(get_related_populators(klass, select, connection.alias))  # type: ignore[call-arg]  # of Django 6
        annotations = list((compiler.annotation_col_map or {}).items())

        fill = filling(klass["model"])

        def make(row: Any) -> Any:
            instance = fill(names, row[first:last])
            for populator in populators:
                populator.populate(row, instance)
            for name, place in annotations:
                setattr(instance, name, row[place])
            return instance

        return make


class Filler(NamedTuple):
    """Takes a model's place where Django makes what ``select_related`` brings."""

    fill: Callable[[list[str], Any], Any]

    def from_db(self, _alias: str, names: list[str], values: Any) -> Any:
        return self.fill(names, values)


def quick(populators: list[Any]) -> list[Any]:
    """Have populators make instances as ``filling`` does."""
    for populator in populators:
        populator.model_cls = Filler(filling(populator.model_cls))
        quick(populator.related_populators)
    return populators


def filling(model: type[models.Model]) -> Callable[[list[str], Any], Any]:
    """Return what makes an instance of some columns: what ``from_db`` does, where nobody sees the difference.

    It asks each column for its descriptor and sends two signals a row, in most of the time that a row takes.
    """
    plain: Any = models.Model
    own: Any = model
    is_plain = own.from_db.__func__ is plain.from_db.__func__ and own.__init__ is plain.__init__
    if not is_plain or pre_init.has_listeners(model) or post_init.has_listeners(model):
        return partial(model.from_db, DEFAULT_DB_ALIAS)

    def fill(names: list[str], values: Any) -> Any:
        instance = model.__new__(model)
        state = instance._state = ModelState()  # noqa: SLF001 - as from_db does
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        instance.__dict__.update(zip(names, values, strict=True))
        return instance

    return fill


def converted(row: Any, readers: list[Reader]) -> list[Any]:
    values = list(row)
    for place, keeps_null, read in readers:
        value = values[place]
        if value is not None or not keeps_null:
            values[place] = read(value)
    return values


def readers_of(compiler: SQLCompiler, expressions: list[Any]) -> list[Reader]:
    """Return how those columns are read that a driver does not read as they are wanted."""
    found = compiler.get_converters(expressions)
    return [reader_of(place, functions, expression) for place, (functions, expression) in found.items()]


def reader_of(place: int, functions: list[Any], expression: Any) -> Reader:
    field = expression.output_field
    if functions == [getattr(field, "from_db_value", None)] and hasattr(field, "read_text"):
        return Reader(place, keeps_null=True, read=field.read_text)

    def read(value: Any) -> Any:
        for function in functions:
            value = function(value, expression, connection)
        return value

    return Reader(place, keeps_null=False, read=read)


def stands_still(part: Any) -> bool:
    """Tell whether a parameter is a date or a moment, as a driver is given it or as text."""
    return isinstance(part, date) or (isinstance(part, str) and MOMENT.fullmatch(part) is not None)


def spoken(sql: str, parameters: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return SQL for PostgreSQL with all but the slots written into it, and the slots.

    A plan that is kept knows nothing of what is given later: not that a partial index holds what is asked
    for, nor how common a status is.
    """
    if connection.vendor != "postgresql":
        return sql, parameters
    with connection.cursor() as cursor:
        words = iter(["%s" if isinstance(part, Slot) else literal(cursor, part) for part in parameters])
    sql = PLACE.sub(lambda place: place[0] if place[0] == "%%" else next(words), sql)
    return sql, tuple(part for part in parameters if isinstance(part, Slot))


def literal(cursor: Any, value: Any) -> str:
    text: str = cursor.mogrify("%s", [value]).decode()
    return text.replace("%", "%%")


def execute(database: Any, cursor: Any, sql: str, parameters: list[Any]) -> None:
    """Execute what is asked again and again, in the way of the database at hand."""
    if database.vendor == "postgresql":
        database.execute_prepared(cursor, sql, parameters)
    else:
        cursor.execute(sql, parameters)
