"""Rows below a row as their number, in its query, on PostgreSQL and SQLite alike."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, Subquery


class Counted(Subquery):
    """How many rows a subquery has; of a slice no more are read than it may hold."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    @property
    def convert_value(self) -> Any:
        """Leave the number as it comes, which is whole in every database."""
        return self._convert_value_noop  # type: ignore[attr-defined]
