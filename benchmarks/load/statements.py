"""What PostgreSQL is asked for, and what it uses for it, as it says itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import DatabaseError, connection

if TYPE_CHECKING:
    from collections.abc import Callable

# The limits of a transaction, and whether a kept connection still is one, are asked for by no line of ours.
AROUND: Final = r"^\s*(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SELECT \$1$|SELECT 1$|DEALLOCATE|CLOSE)"
# By PostgreSQL itself, of foreign keys, before a commit.
OWN: Final = r"^SELECT \S+ FROM ONLY .* FOR KEY SHARE OF x$"
ASKED: Final = """
    SELECT coalesce(sum(calls) FILTER (WHERE query !~* %s), 0), coalesce(sum(calls), 0)
    FROM pg_stat_statements WHERE toplevel AND query !~ %s AND query NOT LIKE '%%pg_stat_statements%%'
"""
TIMES: Final = 24
BUSY: Final = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()"
)
LOOK_SECONDS: Final = 0.02
IDLE_LOOKS: Final = 8
PATIENCE_SECONDS: Final = 20


class Asked(NamedTuple):
    """Statements a request; ``around`` are those that open, end and check transactions and connections."""

    statements: int
    around: int


class NotCounted(Exception):
    """PostgreSQL was started without its counters."""


def count_statements() -> None:
    """Have them counted. Raises NotCounted."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            cursor.execute("SELECT count(*) FROM pg_stat_statements")
    except DatabaseError as error:
        raise NotCounted from error


def settle() -> None:
    """Wait until PostgreSQL is idle: a load that has ended leaves a request behind for each connection."""
    until, idle = time.monotonic() + PATIENCE_SECONDS, 0
    with connection.cursor() as cursor:
        while idle < IDLE_LOOKS and time.monotonic() < until:
            cursor.execute(BUSY)
            idle = 0 if cursor.fetchone()[0] else idle + 1
            time.sleep(LOOK_SECONDS)


def asked_by(send: Callable[[], object]) -> Asked:
    """Return what one ``send`` asks for, of many."""
    settle()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")
        for _ in range(TIMES):
            send()
        cursor.execute(ASKED, [AROUND, OWN])
        statements, everything = cursor.fetchone()
    # Whole numbers: a connection that was opened meanwhile asks once, and not at each request.
    return Asked(round(statements / TIMES), round((everything - statements) / TIMES))


def database_process() -> int:
    """Return the process whose children serve the connections."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
    with open(f"/proc/{own}/stat") as told:  # noqa: PTH123
        return int(told.read().rpartition(")")[2].split()[1])
