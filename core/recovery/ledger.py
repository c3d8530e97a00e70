"""Who was erased, by id alone, in a file beside the backups: whoever restores one erases them again.

The database tells no later than it was kept. So the file is written more often than the backups are.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from django.utils.dateparse import parse_datetime

from core.models import AuditEvent
from core.recovery.folders import LEDGER, BackupBroken, alone_with_list, sync

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

logger = logging.getLogger(__name__)


class Erased(NamedTuple):
    """That a person of this id was erased, and when."""

    person_id: int
    at: datetime


def write_ledger(target: Path) -> int:
    """Add who was erased since it was last written; returns how many. Ids are not given out twice.

    A torn last line is written anew from the audit log. Raises BackupBroken where another line names nobody,
    and BackupRunning where somebody else writes the list for longer than a few seconds.
    """
    path = target / LEDGER
    with alone_with_list(target):
        kept = read_ledger(path) if path.exists() else []
        known = {entry.person_id for entry in kept}
        events = AuditEvent.objects.filter(action="user_deleted", object_type="users.user")
        rows = events.order_by("at", "pk").values_list("object_id", "at")
        new = [Erased(int(person_id), at) for person_id, at in rows if int(person_id) not in known]
        text = "".join(f"{entry.person_id} {entry.at.isoformat()}\n" for entry in (*kept, *new))
        if not path.exists() or path.read_bytes() != text.encode("ascii"):
            put_in_place(path, text)
    return len(new)


def put_in_place(path: Path, text: str) -> None:
    """Write the list so that a power cut leaves the one before or this one, whole."""
    written = path.with_name(f".{path.name}.new")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as lines:
        lines.write(text)
        lines.flush()
        os.fsync(lines.fileno())
    written.replace(path)
    sync(path.parent)


def read_ledger(path: Path) -> list[Erased]:
    """Return the entries. The log tells of a torn last line; another one that is none raises BackupBroken."""
    lines = path.read_bytes().decode("ascii", errors="replace").splitlines(keepends=True)
    if lines and is_torn(lines[-1]):
        logger.warning("erased_people_line_torn", extra={"line": len(lines), "said": lines.pop()})
    return [entry_of(line) for line in lines]


def is_torn(line: str) -> bool:
    """Tell whether a last line is none, or has lost its end: the last part of a moment is its offset."""
    try:
        entry_of(line)
    except BackupBroken:
        return True
    moment = parse_datetime(line.strip().partition(" ")[2])
    return not line.endswith("\n") and (moment is None or moment.tzinfo is None)


def entry_of(line: str) -> Erased:
    """Return what a line names. Raises BackupBroken."""
    number, _, moment = line.strip().partition(" ")
    at = moment_of(moment)
    if at is None or not number.isdecimal():
        raise BackupBroken(f"{LEDGER} has a line that names nobody: {line!r}")
    return Erased(int(number), at)


def moment_of(text: str) -> datetime | None:
    """Return a moment, in UTC where it names no offset; None where it is none."""
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
