"""Keeping tallies short, and true."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from core.periodic import periodic
from core.tallies import tallies

if TYPE_CHECKING:
    from core.tallies import Tally

logger = logging.getLogger(__name__)

# Others read and write meanwhile. Of us there is one at a time: each statement sees what the last one left.
ALONE: Final = "LOCK TABLE {into} IN SHARE UPDATE EXCLUSIVE MODE"
# In one snapshot: whatever is under way is in neither of the two numbers, or will be in both.
MEND: Final = """
INSERT INTO {into} ({by}, {number})
SELECT {by}, SUM(change) FROM (
  SELECT {by}, COUNT(*) AS change FROM {table} WHERE {only} GROUP BY {by}
  UNION ALL SELECT {by}, -{number} FROM {into}
) compared
GROUP BY {by} HAVING SUM(change) <> 0
"""
FOLD: Final = """
WITH folded AS (
  DELETE FROM {into} WHERE ({by}) IN (
    SELECT {by} FROM {into} GROUP BY {by} HAVING COUNT(*) > 1
  ) RETURNING {by}, {number}
), written AS (
  INSERT INTO {into} ({by}, {number})
  SELECT {by}, SUM({number}) FROM folded GROUP BY {by} HAVING SUM({number}) <> 0
)
SELECT COUNT(*) FROM folded
"""


def settle(tally: Tally) -> dict[str, int]:
    """Put the rows of each kind together; first mend what is not true, and say so in the log.

    It is true unless somebody wrote past the trigger, as a superuser can (``session_replication_role``), or
    copied rows of both tables into a database that had the trigger.
    """
    if connection.vendor != "postgresql":
        return {"mended": 0, "folded": 0}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(tally.sql(ALONE))
        cursor.execute(tally.sql(MEND))
        mended = cursor.rowcount
        cursor.execute(tally.sql(FOLD))
        folded = cursor.fetchone()[0]
    if mended:
        logger.warning("tally_was_wrong", extra={"tally": tally.into, "mended": mended})
    return {"mended": mended, "folded": folded}


@periodic("settle_tallies", every=timedelta(minutes=15))
def settle_tallies() -> dict[str, int]:
    """Put the rows of all tallies together, and mend what is not true."""
    done = [settle(tally) for tally in tallies]
    return {word: sum(one[word] for one in done) for word in ("mended", "folded")}
