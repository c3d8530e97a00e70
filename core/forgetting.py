"""Deleting what is too old: what is due is said once, for the job that deletes and the report that counts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Count, Min

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

BATCH: Final = 1_000  # rows of one transaction: nobody waits for more
LOOKED_UP_AT_ONCE: Final = 50_000  # ids
MOST_SECONDS: Final = 240.0  # of a run; what is left waits for the next one, and workers for nobody


@dataclass(frozen=True)
class Line:
    """What a job would delete now. ``oldest`` is None where nothing is due, or nothing tells its age."""

    what: str
    count: int
    oldest: datetime | None = None


@dataclass(frozen=True)
class Old:
    """Rows of one kind that are due: ``due`` finds them, ``by`` is the column that tells their age."""

    what: str
    due: Callable[[], QuerySet[Any]]
    by: str

    def __call__(self) -> list[Line]:
        """Count them. One query."""
        found = self.due().order_by().aggregate(count=Count("pk"), oldest=Min(self.by))
        return [Line(self.what, found["count"], found["oldest"])]

    def delete(self) -> int:
        """Delete them; returns how many."""
        return delete_some_at_a_time(self.due())


def delete_some_at_a_time(rows: QuerySet[Any], *, most_seconds: float = MOST_SECONDS) -> int:
    """Delete rows a thousand a transaction, for some minutes at most; returns how many.

    What somebody holds is left to the next run, and so is what is not due any more when its turn comes.
    """
    until, deleted = time.monotonic() + most_seconds, 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:LOOKED_UP_AT_ONCE]):
        before = deleted
        for start in range(0, len(ids), BATCH):
            if time.monotonic() >= until:
                return deleted
            deleted += delete_batch(rows, ids[start : start + BATCH])
        if deleted == before:
            break
    return deleted


@transaction.atomic
def delete_batch(rows: QuerySet[Any], ids: list[Any]) -> int:
    held = rows.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    free = list(held.values_list("pk", flat=True))
    rows.model._base_manager.filter(pk__in=free).delete()  # noqa: SLF001 - documented API
    return len(free)
