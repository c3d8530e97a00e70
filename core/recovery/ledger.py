"""Who was erased, by id alone, in a file beside the backups: whoever restores one erases them again.

The database tells no later than it was kept. So the file is written more often than the backups are. Its
first line tells of which moment it is; lists of older code have none.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.models import AuditEvent
from core.recovery.folders import LEDGER, BackupBroken, alone_with_list, sync

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)
AS_OF: Final = "# as of "
# When somebody was erased whose line has lost that: later than any backup.
UNKNOWN: Final = datetime.max.replace(tzinfo=UTC)
MAX_AGE: Final = timedelta(days=1)


class Erased(NamedTuple):
    """That a person of this id was erased, and when last."""

    person_id: int
    at: datetime


class Ledger(NamedTuple):
    """What a list says. Null as of: of no known moment. Where it breaks off, a last id is lost."""

    entries: list[Erased]
    as_of: datetime | None = None
    breaks_off: bool = False


class ListTooOld(Exception):
    """Who was erased since a list was last written is not on it, or nobody can tell when that was."""


def write_ledger(target: Path) -> int:
    """Add who was erased since it was last written; returns how many. Ids are not given out twice.

    Whoever was erased a second time, since a backup brought them back, has the later moment. A torn last line
    is written anew from the audit log. Raises BackupBroken where another line names nobody, and BackupRunning
    where somebody else writes the list for longer than a few seconds.
    """
    return update(target / LEDGER, is_current=True)


def note_erased(path: Path, *, among: Collection[int] | None = None, more: Iterable[Erased] = ()) -> int:
    """Add what this database knows to a list, or only the moments of those ids, and what another list says.

    Returns how many that were. The list's own moment stays, since this database may be an older or another
    one. Raises what ``write_ledger`` raises, and DatabaseError.
    """
    return update(path, is_current=False, among=among, more=more)


def update(
    path: Path, *, is_current: bool, among: Collection[int] | None = None, more: Iterable[Erased] = ()
) -> int:
    with alone_with_list(path.parent):
        now = timezone.now()
        said = read_ledger(path) if path.exists() else Ledger([])
        kept, told = latest(said.entries), latest(erasures())
        as_of = now if is_current and knows(told, kept) else said.as_of
        people = latest([*said.entries, *more])
        for person_id, at in told.items():
            if among is None or person_id in among:
                before = people.get(person_id, UNKNOWN)
                people[person_id] = at if before == UNKNOWN else max(at, before)
        text = f"{AS_OF}{as_of.isoformat()}\n" if as_of else ""
        for person_id, at in people.items():
            text += f"{person_id} {(now if at == UNKNOWN else at).isoformat()}\n"
        if not path.exists() or path.read_bytes() != text.encode("ascii"):
            put_in_place(path, text)
    return sum(kept.get(person_id) != at for person_id, at in people.items())


def erasures() -> Iterable[Erased]:
    """Yield what the audit log tells, the oldest first. Raises DatabaseError where there is none."""
    events = AuditEvent.objects.filter(action="user_deleted", object_type="users.user")
    for person_id, at in events.order_by("at", "pk").values_list("object_id", "at"):
        yield Erased(int(person_id), at)


def latest(entries: Iterable[Erased]) -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for person_id, at in entries:
        found[person_id] = max(at, found.get(person_id, at))
    return found


def knows(told: Collection[int], kept: dict[int, datetime]) -> bool:
    """Tell whether a database has a part in a list, by what its audit log still keeps.

    A new one beside an old list has none: what it does not know was erased elsewhere.
    """
    since = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    recent = {person_id for person_id, at in kept.items() if at > since}
    if recent.isdisjoint(told) and recent:
        logger.warning("erased_people_of_another_database", extra={"people": len(recent)})
        return False
    return True


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


def read_ledger(path: Path) -> Ledger:
    """Return what a list says. The log tells of a torn last line, and another one raises BackupBroken.

    Of a torn line the id counts where its end is there, at an unknown moment.
    """
    lines = path.read_bytes().decode("ascii", errors="replace").splitlines(keepends=True)
    number, as_of, rest = len(lines), None, []
    if lines and lines[0].startswith(AS_OF) and lines[0].endswith("\n"):
        as_of = moment_of(lines.pop(0).removeprefix(AS_OF).strip())
    if breaks_off := bool(lines) and is_torn(lines[-1]):
        person_id, space, _ = lines.pop().partition(" ")
        if space and person_id.isdecimal():
            rest, breaks_off = [Erased(int(person_id), UNKNOWN)], False
        logger.warning("erased_people_line_torn", extra={"line": number, "is_id_lost": breaks_off})
    return Ledger([*(entry_of(line) for line in lines), *rest], as_of, breaks_off)


def read_to_restore(path: Path) -> Ledger:
    """Return what a list says where nobody is lost: the log that would mend it goes with the database.

    Raises BackupBroken, and OSError.
    """
    said = read_ledger(path)
    if said.breaks_off:
        raise BackupBroken(
            f"{path} breaks off within its last id. Name a whole copy with --erased FILE,"
            " or put its last line right."
        )
    return said


def read_beside(backup: Path, *, named: Path | None) -> Ledger | None:
    """Return the list for a restore: the named one, or the one beside the backup, None where there is none.

    That one may be no older than a day: it goes on elsewhere where backups have another folder by now. Of a
    moment that is still to come nobody can tell how old it is.
    Raises ListTooOld, BackupBroken and OSError.
    """
    path = named or backup.parent / LEDGER
    if not named and not path.exists():
        return None
    said = read_to_restore(path)
    if not named and (said.as_of is None or not timedelta() <= timezone.now() - said.as_of <= MAX_AGE):
        raise ListTooOld(f"{path} is {age_of(said)}. Name the newest list there is with --erased FILE.")
    return said


def age_of(said: Ledger) -> str:
    """Tell in words how old a list is."""
    if said.as_of is None:
        return "of no known moment"
    passed = timezone.now() - said.as_of
    moment = f"as of {said.as_of.isoformat(timespec='seconds')}"
    if passed < timedelta():
        return f"{moment}, which is still to come: the clock is wrong here, or was where it was written"
    return f"{moment}, {timedelta(seconds=int(passed.total_seconds()))} ago"


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
