"""Erasing again, after a backup was put back, whoever has been erased since it was made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection

from users.models import User
from users.services.erasure import erase_again

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.recovery.ledger import Erased

# An erasure is dated before its commit: a backup of that moment may still have the person.
MARGIN: Final = timedelta(minutes=10)
SEQUENCE: Final = """
    SELECT setval(sequence, greatest(%s, (SELECT max(id) FROM {table}), pg_sequence_last_value(sequence)))
    FROM CAST(pg_get_serial_sequence('{table}', 'id') AS regclass) AS sequence
"""


def erase_since(entries: Iterable[Erased], *, since: datetime) -> int:
    """Erase those of the entries who are there again; returns how many. Safe to repeat.

    First sees to it that no id of the list is given out anew: it would name somebody else. Each person is a
    transaction of their own.
    """
    noted = list(entries)
    keep_ids_apart(max((entry.person_id for entry in noted), default=0))
    return sum(erase_again(entry.person_id) for entry in noted if entry.at > since - MARGIN)


def keep_ids_apart(highest: int) -> None:
    """Let the next id be above that one, and not below what it was. SQLite never gives one out twice."""
    if connection.vendor == "postgresql" and highest:
        with connection.cursor() as cursor:
            cursor.execute(SEQUENCE.format(table=User._meta.db_table), [highest])  # noqa: SLF001 - documented API
