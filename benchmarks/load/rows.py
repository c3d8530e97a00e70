"""Statements that write many rows at once, and what all of them agree on."""

from __future__ import annotations

from typing import Final

PER_GROUP: Final = 8


def fill(table: str, rows: str, **columns: str) -> str:
    """Return the statement that writes a row for each of ``rows``, a FROM clause."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {rows}"  # noqa: S608 - our own words


def series(last: int, name: str = "n") -> str:
    return f"generate_series(1, {last}) {name}"


def group_id(number: str = "g") -> str:
    return f"'BTF' || lpad({number}::text, greatest(3, length({number}::text)), '0')"
