"""Erasing again, after a backup was put back, whoever has been erased since it was made."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import DatabaseError, InterfaceError, connection

from core.recovery.ledger import latest
from core.refusals import Refused
from users.models import User
from users.services.erasure import erase_again

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.recovery.ledger import Erased

logger = logging.getLogger(__name__)
# An erasure is dated before its commit: a backup of that moment may still have the person.
MARGIN: Final = timedelta(minutes=10)
SEQUENCE: Final = """
    SELECT setval(sequence, greatest(%s, (SELECT max(id) FROM {table}), pg_sequence_last_value(sequence)))
    FROM CAST(pg_get_serial_sequence('{table}', 'id') AS regclass) AS sequence
"""


class ErasedAgain(NamedTuple):
    """How many people were erased, and the ids of those whose erasure has failed: they are back."""

    people: int
    failed: list[int]


def erase_since(entries: Iterable[Erased], *, since: datetime) -> ErasedAgain:
    """Erase those of the entries who are there again. Safe to repeat.

    First sees to it that no id of the list is given out anew: it would name somebody else. Each person is a
    transaction of their own, and one that fails is logged without what the database says: that may quote the
    row.
    """
    noted = latest(entries)
    keep_ids_apart(max(noted, default=0))
    people, failed = 0, []
    for person_id, at in noted.items():
        if at > since - MARGIN:
            try:
                people += erase_again(person_id)
            except (DatabaseError, InterfaceError, Refused) as error:
                kind = type(error).__name__
                logger.warning("person_not_erased_again", extra={"person": person_id, "kind": kind})
                failed.append(person_id)
                if not connection.is_usable():
                    connection.close()  # the next one gets a new session
    return ErasedAgain(people, failed)


def keep_ids_apart(highest: int) -> None:
    """Let the next id be above that one, and not below what it was. SQLite never gives one out twice."""
    if connection.vendor == "postgresql" and highest:
        with connection.cursor() as cursor:
            cursor.execute(SEQUENCE.format(table=User._meta.db_table), [highest])  # noqa: SLF001 - documented API
