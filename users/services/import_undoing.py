"""Taking an import back: whom it made and nobody has used is erased, what it changed is changed back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from core import audit
from core.refusals import Refused
from core.sealing import Unreadable, unseal
from users.models import ImportRow, PeopleImport, User
from users.services.accounts import change_account
from users.services.erasure import erase_person
from users.services.import_rows import (
    LOST,
    PURPOSE,
    ROWS_AT_ONCE,
    actor_of,
    content_of,
    hold_import,
    hold_people,
    keep_counts,
    put_content,
)
from users.services.import_usage import as_made, restored, used_among, without_named
from users.spreadsheets.columns import Note
from users.spreadsheets.planning import stored_of

if TYPE_CHECKING:
    from users.spreadsheets.planning import Sections

USED: Final = "This account has been used or changed since, and stays."
CHANGED: Final = "Changed since, and stays."


@transaction.atomic
def undo_next_rows(import_id: int) -> bool:
    """Take up to 50 rows back, and tell whether more may be. Holds the import's row, and the people's.

    Raises ImportStopped.
    """
    batch = hold_import(import_id)
    if batch is None or batch.state != PeopleImport.State.UNDOING:
        return False
    actor = actor_of(batch)
    if not batch.rows.to_undo().exists():
        keep_counts(batch, state=PeopleImport.State.UNDONE)
        audit.record("people_import_undone", actor=actor, target=batch, changes=batch.counts)
        return False
    rows = held_rows(batch)
    used = used_among(batch, [row.person for row in rows if row.person is not None])
    for row in rows:
        undo_row(row, used, by=actor)
    keep_counts(batch)
    return True


def held_rows(batch: PeopleImport) -> list[ImportRow]:
    """Return the next rows, with their people locked and as they are under the lock.

    Changes go back first, then people go whom no profile names, then the rest: erasing somebody
    blanks their address in others' profiles, so a student goes before the guardian.
    """
    waiting = batch.rows.to_undo().in_file_order()
    made = waiting.filter(outcome=ImportRow.Outcome.CREATE)
    for stage in (waiting.filter(outcome=ImportRow.Outcome.UPDATE), without_named(made), made):
        if rows := list(stage[:ROWS_AT_ONCE]):
            hold_people(User.objects.filter(pk__in=[row.person_id for row in rows]))
            again = batch.rows.filter(pk__in=[row.pk for row in rows]).in_file_order()
            return list(again.select_related("person__profile", "person__supervisor_profile"))
    return []


def undo_row(row: ImportRow, used: set[int], *, by: User) -> None:
    """Take one row back whole, or say what stays."""
    try:
        written = unseal(row.before, purpose=PURPOSE)
    except Unreadable:
        keep(row, [Note("", LOST)])
        return
    person = row.person
    if person is None:
        keep(row, [Note("", USED)])
        return
    try:
        with transaction.atomic():
            if written["old"] is not None:
                change_back(row, person, written["old"], written["new"], by=by)
            elif person.pk in used or not as_made(person, written["new"]):
                keep(row, [Note("", USED)])
            else:
                erase_made(row, person, by=by)
    except Refused as refusal:
        row.refresh_from_db()
        keep(row, [Note(refusal.field or "", refusal.message)])


def erase_made(row: ImportRow, person: User, *, by: User) -> None:
    """Erase somebody. The row lets go of them first, and of what it knew: else it would go along."""
    row.person, row.address_key, row.state = None, "", ImportRow.State.UNDONE
    row.before = ""
    put_content(row, [], [], [])
    row.save(force_update=True)
    erase_person(person, by=by)


def change_back(row: ImportRow, person: User, old: Sections, new: Sections, *, by: User) -> None:
    """Put back what still is as the import wrote it; what was changed since stays, with a remark each."""
    stored, back = stored_of(person), dict[str, dict[str, Any]]()
    stays: list[Note] = []
    for section, values in new.items():
        for name, value in values.items():
            if getattr(stored[section], name) == restored(stored[section], name, value):
                before = restored(stored[section], name, old[section][name])
                back.setdefault(section, {})[name] = before
            else:
                stays.append(Note(name, CHANGED))
    if back:
        change_account(person, by=by, **back)
    if stays:
        keep(row, stays)
    else:
        row.state = ImportRow.State.UNDONE
        row.save(update_fields=["state"])


def keep(row: ImportRow, remarks: list[Note]) -> None:
    cells, faults, others = content_of(row)
    put_content(row, cells, faults, [*others, *remarks])
    row.state = ImportRow.State.KEPT
    row.save(update_fields=["content", "fault_count", "remark_count", "state"])
