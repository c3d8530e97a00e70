"""Who was erased, by id alone, in a file beside the backups: whoever restores one erases them again.

The database tells no later than it was kept. So the file is written more often than the backups are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.utils.dateparse import parse_datetime

from core.models import AuditEvent
from core.recovery.folders import LEDGER, BackupBroken, sync

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


class Erased(NamedTuple):
    """That a person of this id was erased, and when."""

    person_id: int
    at: datetime


def write_ledger(target: Path) -> int:
    """Append who was erased since it was last written; returns how many. Ids are not given out twice."""
    path = target / LEDGER
    known = {entry.person_id for entry in read_ledger(path)} if path.exists() else set()
    events = AuditEvent.objects.filter(action="user_deleted", object_type="users.user").order_by("at", "pk")
    new = [row for row in events.values_list("object_id", "at") if int(row[0]) not in known]
    if new or not path.exists():
        with path.open("a", encoding="ascii") as lines:
            lines.writelines(f"{person_id} {at.isoformat()}\n" for person_id, at in new)
        path.chmod(0o600)
        sync(path)
    return len(new)


def read_ledger(path: Path) -> list[Erased]:
    """Return the entries. Raises BackupBroken at a line that is none."""
    return [entry_of(line) for line in path.read_text(encoding="ascii").splitlines()]


def entry_of(line: str) -> Erased:
    number, _, moment = line.partition(" ")
    at = parse_datetime(moment)
    if at is None or not number.isdecimal():
        raise BackupBroken(f"{LEDGER} has a line that names nobody: {line!r}")
    return Erased(int(number), at)
