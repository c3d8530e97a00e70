"""Substring search over several columns, which one trigram index answers on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import migrations, models
from django.db.models import F, Func, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Contains

from core.prepared import Slot, value_of

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import StateApps

Row = TypeVar("Row", bound=models.Model)
Rows = TypeVar("Rows", bound="models.QuerySet[models.Model]")


def containing(rows: Rows, text: str | Slot, *columns: str) -> Rows:
    """Return the rows in one of whose columns the text occurs, whatever its case; blank finds all.

    The columns must be those of ``trigram_index``, in its order: the index knows one expression.
    """
    words = text if isinstance(text, Slot) else text.strip()
    if not words:
        return rows
    return rows.alias(searched=one_text(columns)).filter(Contains(F("searched"), Lower(value_of(words))))


def one_text(columns: tuple[str, ...]) -> Func:
    """Return the columns as one text in lower case, below each other: no word is in two of them."""
    first, *others = columns
    parts = [part for column in others for part in (Value("\n"), F(column))]
    return Func(
        F(first),
        *parts,
        arg_joiner=" || ",
        template="LOWER(%(expressions)s)",
        output_field=models.TextField(),
    )


def trigram_index(name: str, *, table: str, columns: tuple[str, ...]) -> migrations.RunPython:
    """Return the migration's operation. PostgreSQL alone: SQLite reads the table.

    The extension is there since ``users`` 0003, on which the migration depends.
    """
    expression = " || E'\\n' || ".join(columns)
    create = f"CREATE INDEX {name} ON {table} USING gin (LOWER({expression}) gin_trgm_ops);"

    def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(create)

    def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX IF EXISTS {name};")

    return migrations.RunPython(add, remove)
