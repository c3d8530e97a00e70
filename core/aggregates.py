"""Rows below a row in its query, as one JSON value or as their number, on PostgreSQL and SQLite alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Aggregate, IntegerField, JSONField, Subquery

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler


class JsonList(Aggregate):
    """All values of a group as a JSON list, in no order; null where there is none."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            function="JSON_GROUP_ARRAY",
            template="%(function)s(JSON(%(expressions)s))",
            **extra,
        )


class Counted(Subquery):
    """How many rows a subquery has; of a slice no more are read than it may hold."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    @property
    def convert_value(self) -> Any:
        """Leave the number as it comes, which is whole in every database."""
        return self._convert_value_noop  # type: ignore[attr-defined]
