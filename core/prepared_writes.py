"""Updates and inserts that are put into words once in a process, as ``core.prepared`` does with questions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models.sql import UpdateQuery

from core.prepared import Slot, converted, readers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from core.prepared import Reader


class PreparedUpdate:
    """An UPDATE that returns the rows as it leaves them, locked until the commit: one round trip for both.

    ``build`` returns which rows, and their new ``values``; slots may stand in either.
    """

    def __init__(self, build: Callable[[], tuple[QuerySet[Any, Any], dict[str, Any]]]) -> None:
        self.build = build

    @cached_property
    def words(self) -> tuple[str, tuple[Any, ...], list[Reader], type[models.Model], list[str]]:
        rows, values = self.build()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(values)
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        fields = meta_of(rows.model).concrete_fields
        columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
        readers = readers_of(compiler, [field.cached_col for field in fields])
        names = [field.attname for field in fields]
        return f"{sql} RETURNING {columns}", parameters, readers, rows.model, names

    def object(self, **values: Any) -> Any:
        """Update, and return the row as an instance; None where there was none."""
        sql, parameters, readers, model, names = self.words
        filled = [part.fill(values) if isinstance(part, Slot) else part for part in parameters]
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            row = cursor.fetchone()
        return model.from_db(connection.alias, names, converted(row, readers)) if row else None


class PreparedInsert:
    """The INSERT of one row of a model whose key the database makes."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    @cached_property
    def fields(self) -> list[models.Field[Any, Any]]:
        return [field for field in meta_of(self.model).concrete_fields if not field.primary_key]

    @cached_property
    def sql(self) -> str:
        name, meta = connection.ops.quote_name, meta_of(self.model)
        columns = ", ".join(name(str(field.column)) for field in self.fields)
        places = ", ".join("%s" for _ in self.fields)
        into, key = name(meta.db_table), name(meta.pk.column)
        return f"INSERT INTO {into} ({columns}) VALUES ({places}) RETURNING {key}"  # noqa: S608 - no words of others

    def insert(self, instance: models.Model) -> None:
        """Store a row and give it its key, as ``save`` does where nobody listens to signals."""
        values = [
            field.get_db_prep_save(field.pre_save(instance, add=True), connection) for field in self.fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, values)
            ((instance.pk,),) = cursor.fetchall()
        state: Any = instance._state  # noqa: SLF001 - documented
        state.adding, state.db = False, connection.alias


def meta_of(model: type[models.Model]) -> Any:
    return model._meta  # noqa: SLF001 - documented, as Model._meta
