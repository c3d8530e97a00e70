"""Taking an import back: whom it made and nobody has used is erased, what it changed is changed back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django.db import transaction

from core import audit
from core.refusals import Refused
from core.sealing import Unreadable, unseal
from users.models import ImportRow, PeopleImport, User
from users.services.accounts import AddressTaken, change_account, hold_for_access_end
from users.services.erasure import erase_person
from users.services.import_order import namers_first, people_made
from users.services.import_rows import (
    LOST,
    PURPOSE,
    ROWS_AT_ONCE,
    actor_of,
    content_of,
    erased_among,
    hold_import,
    hold_people,
    keep_counts,
    put_content,
    stop_where_lost,
)
from users.services.import_usage import (
    USED,
    as_made,
    drop_empty_supervisor_profile,
    restored,
    taken_back_among,
    used_among,
)
from users.spreadsheets.columns import Note, mailbox
from users.spreadsheets.planning import ERASED, NAMING, Sections, stored_of

Written = dict[str, Any]  # what ``undoable`` returned when the row was written

CHANGED: Final = "Changed since, and stays."


@dataclass
class Undo:
    """What the rows of one step meet.

    ``used``: why somebody stays. ``erased``: addresses that must not come back. ``taken_back``:
    addresses of whom this undo has erased itself. ``people``: whom the step is about, by address.
    """

    by: User
    used: dict[int, str]
    erased: set[str]
    taken_back: set[str]
    people: dict[str, int]


@transaction.atomic
def undo_next_rows(import_id: int) -> bool:
    """Take up to 50 rows back, and tell whether more may be. Holds the import's row, and the people's.

    Raises ImportStopped.
    """
    batch = hold_import(import_id)
    if batch is None or batch.state != PeopleImport.State.UNDOING:
        return False
    actor = actor_of(batch)
    ids = next_rows(batch)
    if not ids:
        keep_counts(batch, state=PeopleImport.State.UNDONE)
        audit.record("people_import_undone", actor=actor, target=batch, changes=batch.counts)
        return False
    people = batch.rows.filter(pk__in=ids, person__isnull=False).values_list("person_id", flat=True)
    actor = hold_people(set(people), by=actor)
    undo_rows(batch, held_rows(batch, ids), by=actor)
    keep_counts(batch)
    return True


def next_rows(batch: PeopleImport) -> list[int]:
    """Return the ids of the next rows: changes go back first, then people go."""
    changes = batch.rows.to_undo().in_file_order().filter(outcome=ImportRow.Outcome.UPDATE)
    ids = list(changes.values_list("pk", flat=True)[:ROWS_AT_ONCE])
    return ids or list(islice(namers_first(people_made(batch)), ROWS_AT_ONCE))


def held_rows(batch: PeopleImport, ids: list[int]) -> list[ImportRow]:
    """Return rows in this order, with their people as they are under the lock; without what has gone."""
    rows = batch.rows.select_related("person__profile", "person__supervisor_profile").in_bulk(ids)
    return [rows[each] for each in ids if each in rows]


def undo_rows(batch: PeopleImport, rows: list[ImportRow], *, by: User) -> None:
    written = {row.pk: written_of(row) for row in rows}
    old, new = ([(each or {}).get(name) or {} for each in written.values()] for name in ("old", "new"))
    people = [row.person for row in rows if row.person is not None]
    undo = Undo(
        by,
        used_among(batch, people),
        erased_among(batch, named_in(old)),
        taken_back_among(batch, named_in(new)),
        {person.email.lower(): person.pk for person in people},
    )
    hold_for_access_end({row.person_id for row in rows if row.person_id and suspends(written[row.pk])})
    for row in rows:
        undo_row(row, written[row.pk], undo)


def suspends(written: Written | None) -> bool:
    """Tell whether taking it back may suspend somebody whom the import let in."""
    old = (written or {}).get("old") or {}
    return bool(old.get("account", {}).get("status") == User.Status.INACTIVE)


def written_of(row: ImportRow) -> Written | None:
    try:
        written: Written = unseal(row.before, purpose=PURPOSE)
    except Unreadable:
        return None
    return written


def named_in(sections: list[Sections]) -> set[str]:
    """Return the addresses of guardians and supervisors among values."""
    profiles = [each.get("profile", {}) for each in sections]
    return {mailbox(profile[name]) for profile in profiles for name in NAMING if profile.get(name)}


def undo_row(row: ImportRow, written: Written | None, undo: Undo) -> None:
    """Take one row back whole, or say what stays."""
    if written is None or row.person is None:
        keep(row, [Note("", LOST if written is None else USED)])
        return
    try:
        with transaction.atomic():
            if written["old"] is None:
                unmake(row, row.person, written["new"], undo)
            else:
                change_back(row, row.person, written, undo)
    except Refused as refusal:
        stop_where_lost(refusal)
        row.refresh_from_db()
        keep(row, [Note(refusal.field or "", refusal.message)])


def unmake(row: ImportRow, person: User, new: Sections, undo: Undo) -> None:
    """Erase somebody, or say why they stay; then whom their profile names stays too."""
    if person.pk not in undo.used and as_made(person, new, undo.taken_back):
        erase_made(row, person, by=undo.by)
        undo.taken_back.add(person.email.lower())
        return
    keep(row, [Note("", undo.used.get(person.pk, USED))])
    stored = stored_of(person)["profile"]
    for address in {getattr(stored, name).lower() for name in NAMING} & undo.people.keys():
        undo.used.setdefault(undo.people[address], USED)


def erase_made(row: ImportRow, person: User, *, by: User) -> None:
    """Erase somebody. The row forgets what it knew first; ``forget_rows`` has it let go of them."""
    row.state, row.before = ImportRow.State.UNDONE, ""
    put_content(row, [], [], [])
    row.save(force_update=True)
    erase_person(person, by=by)


def change_back(row: ImportRow, person: User, written: Written, undo: Undo) -> None:
    """Put back what still is as the import wrote it; what was changed since stays, with a remark each."""
    stored, back = stored_of(person), dict[str, dict[str, Any]]()
    stays: list[Note] = []
    remarks: list[Note] = []
    for section, values in written["new"].items():
        for name, value in values.items():
            if getattr(stored[section], name) != restored(stored[section], name, value):
                stays.append(Note(name, CHANGED))
                continue
            before = restored(stored[section], name, written["old"][section][name])
            if name in NAMING and mailbox(before) in undo.erased:
                before = ""
                remarks.append(Note(NAMING[name], ERASED))
            back.setdefault(section, {})[name] = before
    stays += put_back(person, back, by=undo.by)
    if written.get("made_supervisor_profile"):
        drop_empty_supervisor_profile(person)
    remark(row, stays + remarks, ImportRow.State.KEPT if stays else ImportRow.State.UNDONE)


def put_back(person: User, back: Sections, *, by: User) -> list[Note]:
    """Write old values, and return what stays: the address, where somebody has taken it since."""
    if not back:
        return []
    try:
        with transaction.atomic():
            change_account(person, by=by, **back)
    except AddressTaken as refusal:
        account = {name: value for name, value in back["account"].items() if name != "email"}
        change_account(person, by=by, **{**back, "account": account})
        return [Note("email", refusal.message)]
    return []


def keep(row: ImportRow, remarks: list[Note]) -> None:
    remark(row, remarks, ImportRow.State.KEPT)


def remark(row: ImportRow, remarks: list[Note], state: ImportRow.State) -> None:
    """Say what became of a row, and what there is to be said of it."""
    cells, faults, others = content_of(row)
    put_content(row, cells, faults, [*others, *remarks])
    row.state = state
    row.save(update_fields=["content", "fault_count", "remark_count", "state"])
