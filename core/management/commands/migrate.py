"""``manage.py migrate`` beside a serving release: what gets no lock soon gives up, and is tried again.

Whoever waits for a lock on a table holds up everybody who comes after: they queue in order (PostgreSQL 13.3).
So each wait ends after two seconds, in which requests are late and none fails; the next try leaves them room.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psycopg2
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import OperationalError, connections

from core.locks import held_if_free

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

TRIES: Final = 5
PAUSE_SECONDS: Final = 3
LIMITS: Final = {"lock_timeout": "2s", "statement_timeout": "15min"}
LOST_A_LOCK: Final = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
BROKEN_INDEXES: Final = """
    SELECT format('%I.%I', schema.nspname, name.relname) FROM pg_index
    JOIN pg_class name ON name.oid = indexrelid JOIN pg_namespace schema ON schema.oid = name.relnamespace
    WHERE NOT indisvalid AND schema.nspname = current_schema() AND name.relkind = 'i'
"""


class Command(DjangoCommand):
    """Django's own on SQLite. Two of them at once: the second is told to wait."""

    def handle(self, *args: Any, **options: Any) -> None:
        line = connections[options["database"]]
        if line.vendor != "postgresql" or options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return
        with held_if_free("migrate") as is_alone:
            if is_alone is None:
                raise CommandError(
                    "A migrate needs a session of its own, and DB_POOLED says that there is none: unset it, "
                    "and point DB_HOST and DB_PORT at PostgreSQL itself."
                )
            if not is_alone:
                raise CommandError(
                    "Another migrate is at work on this database. Run it again when that has ended."
                )
            self.set_limits(line)
            try:
                self.migrate_patiently(line, *args, **options)
            finally:
                self.lift_limits(line)

    def migrate_patiently(self, line: BaseDatabaseWrapper, *args: Any, **options: Any) -> None:
        for left in reversed(range(TRIES)):
            try:
                self.drop_broken_indexes(line)
                super().handle(*args, **options)
            except OperationalError as error:
                if not lost_a_lock(error):
                    raise
                if not left:
                    raise CommandError(
                        f"Gave up after {TRIES} tries of {LIMITS['lock_timeout']} each: a transaction holds "
                        "what a migration must lock. Nothing is half done, and what went before it is kept: "
                        "run migrate again when that has ended."
                    ) from error
                self.stderr.write(
                    f"No lock within {LIMITS['lock_timeout']}; tried again in {PAUSE_SECONDS} s ..."
                )
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def drop_broken_indexes(self, line: BaseDatabaseWrapper) -> None:
        """Clear away what CREATE INDEX CONCURRENTLY leaves where it gave up: it would be in its own way."""
        with line.cursor() as cursor:
            cursor.execute(BROKEN_INDEXES)
            for (name,) in cursor.fetchall():
                self.stdout.write(f"Dropping the unfinished index {name}")
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")

    def set_limits(self, line: BaseDatabaseWrapper) -> None:
        with line.cursor() as cursor:
            for name, value in LIMITS.items():
                cursor.execute(f"SET {name} = '{value}'")

    def lift_limits(self, line: BaseDatabaseWrapper) -> None:
        with line.cursor() as cursor:
            for name in LIMITS:
                cursor.execute(f"RESET {name}")


def lost_a_lock(error: OperationalError) -> bool:
    """Tell whether PostgreSQL ended a statement for a lock that it did not get."""
    cause = error.__cause__
    return isinstance(cause, psycopg2.Error) and cause.pgcode in LOST_A_LOCK
