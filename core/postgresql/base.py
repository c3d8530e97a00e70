"""Fewer questions to PostgreSQL: whether it is there again, and how to go about what it knows."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any, Final

from django.db import Error
from django.db.backends.postgresql import base

# A connection that answered so lately is not asked first whether it is alive. PostgreSQL takes longer to
# start again, so what fails for that is a request that would have found no server either.
TRUSTED_SECONDS: Final = 0.5
# "cached plan must not change result type", after a migration; and a statement that somebody threw away.
STALE: Final = {"0A000", "26000"}
# Pages may be of any size, and lists narrowed in many ways: nobody fills a session with plans.
MOST_STATEMENTS: Final = 96
PLACE: Final = re.compile(r"%[s%]")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that remembers when it last answered, and what it has prepared."""

    answered_at = float("-inf")

    def get_new_connection(self, conn_params: Any) -> Any:
        self.statements: dict[str, str] = {}
        return super().get_new_connection(conn_params)

    def close_if_unusable_or_obsolete(self) -> None:
        has_answered = self.health_check_done and not self.errors_occurred
        super().close_if_unusable_or_obsolete()
        if has_answered and self.connection is not None:
            self.answered_at = monotonic()

    def close_if_health_check_failed(self) -> None:
        if monotonic() - self.answered_at < TRUSTED_SECONDS:
            self.health_check_done = True
        super().close_if_health_check_failed()

    def execute_prepared(self, cursor: Any, sql: str, parameters: list[Any]) -> None:
        """Execute SQL that is asked again and again: PostgreSQL plans it once a session (PREPARE).

        Within a transaction it is asked as it stands: what went stale there could not be asked again. So it
        is behind a pooler, where a session is somebody else's.
        """
        is_known = sql in self.statements or len(self.statements) < MOST_STATEMENTS
        if self.in_atomic_block or not is_known or self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
            cursor.execute(sql, parameters)
            return
        try:
            cursor.execute(self.prepared(sql, len(parameters)), parameters)
        except Error as error:
            if getattr(error.__cause__, "pgcode", None) not in STALE:
                raise
            self.statements.clear()
            cursor.execute("DEALLOCATE ALL")
            cursor.execute(sql, parameters)

    def prepared(self, sql: str, places: int) -> str:
        """Return the statement that executes SQL, prepared before if it has not been."""
        if sql not in self.statements:
            name = f"hub_{len(self.statements)}"
            numbers = iter(range(1, places + 1))
            with self.wrap_database_errors, self.connection.cursor() as plain:
                plain.execute(f"PREPARE {name} AS {PLACE.sub(lambda place: numbered(place, numbers), sql)}")
            values = f"({', '.join(['%s'] * places)})" if places else ""
            self.statements[sql] = f"EXECUTE {name}{values}"
        return self.statements[sql]


def numbered(place: re.Match[str], numbers: Any) -> str:
    return "%" if place[0] == "%%" else f"${next(numbers)}"
