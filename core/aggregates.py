"""Rows below a row as a number, in its query, on PostgreSQL and SQLite alike."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, IntegerField, Subquery


class Counted(Subquery):
    """How many rows a subquery has; of a slice no more are read than it may hold."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    @property
    def convert_value(self) -> Any:
        """Leave the number as it comes, which is whole in every database."""
        return self._convert_value_noop  # type: ignore[attr-defined]


class Summed(Subquery):
    """The sum of a subquery's ``column``; 0 of no rows."""

    template = "(SELECT COALESCE(SUM(%(column)s), 0) FROM (%(subquery)s) summed)"
    output_field = BigIntegerField()

    def __init__(self, queryset: Any, *, column: str) -> None:
        super().__init__(queryset.order_by().values(column), column=column)
