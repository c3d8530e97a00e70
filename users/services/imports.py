"""Importing people from a spreadsheet: checked without writing, begun on request, forgotten after a day."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core import audit
from core.forgetting import Old
from core.refusals import Missing
from core.spreadsheets import csv_text
from core.tasks import enqueue_on_commit
from users.addresses import address_key, address_keys
from users.models import ErasedAddress, ImportRow, PeopleImport, User
from users.services.import_rows import (
    ImportConflict,
    ImportExpired,
    ImportUndone,
    active_admins,
    content_of,
    hold_import,
    keep_counts,
    people_with,
    put_content,
)
from users.spreadsheets.columns import Columns, Note, Wanted, squashed
from users.spreadsheets.planning import Situation
from users.spreadsheets.reading import MAX_BYTES, FileRefused, Row, read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet

STAGED_AT_ONCE: Final = 1_000
NOTES_SHOWN: Final = 500
OURS: Final = ("line", "reason")
# Excel takes UTF-8 for its own code page unless this stands before it.
BYTE_ORDER_MARK: Final = "\ufeff"
State = PeopleImport.State


def check_file(file: UploadedFile[Any], *, by: User, flags: dict[str, bool]) -> PeopleImport:
    """Read a spreadsheet and keep, sealed, what each row would do. No account is written.

    Raises FileRefused (400) where the file as a whole cannot be taken.
    """
    if (file.size or 0) > MAX_BYTES:
        raise FileRefused(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    sheet = read_sheet(file.read())
    columns = Columns(sheet.header)
    batch = PeopleImport(created_by=by, **flags)
    batch.put_sheet(filename=(file.name or "")[:255], header=sheet.header, ignored_columns=columns.ignored)
    rows = list(staged(batch, columns, sheet.rows, by=by))
    if not rows:
        raise FileRefused("The file has a header, and nobody below it.")
    return keep_checked(batch, rows, by=by)


@transaction.atomic
def keep_checked(batch: PeopleImport, rows: list[ImportRow], *, by: User) -> PeopleImport:
    batch.save()
    ImportRow.objects.bulk_create(rows, batch_size=STAGED_AT_ONCE)
    keep_counts(batch)
    audit.record("people_import_checked", actor=by, target=batch, changes=batch.counts)
    return batch


def staged(batch: PeopleImport, columns: Columns, rows: Iterator[Row], *, by: User) -> Iterator[ImportRow]:
    """Yield the rows as they will be kept. Two queries for each thousand of them."""
    seen: dict[str, int] = {}
    while chunk := list(islice(rows, STAGED_AT_ONCE)):
        read = [(row, columns.read(row.cells)) for row in chunk]
        situation = situation_of(batch, [wanted for _, wanted in read], by=by)
        for row, wanted in read:
            refuse_twice(wanted, row.line, seen)
            plan = situation.plan(wanted)
            staged_row = ImportRow(batch=batch, line=row.line, outcome=plan.outcome, person=plan.person)
            staged_row.address_key = address_key(wanted.address) if wanted.address else ""
            put_content(staged_row, row.cells, plan.faults, plan.remarks)
            yield staged_row


def situation_of(batch: PeopleImport, wanted: Iterable[Wanted], *, by: User) -> Situation:
    """Look up whom rows are about. Two queries."""
    addresses = {address for each in wanted for address in (each.address, each.new_address) if address}
    return Situation(batch, by, people_with(addresses), active_admins())


def refuse_twice(wanted: Wanted, line: int, seen: dict[str, int]) -> None:
    """An address belongs to one row, as the one that is or as the one that will be."""
    for name, address in (("email", wanted.address), ("newEmail", wanted.new_address)):
        if address and seen.setdefault(address, line) != line:
            wanted.faults.append(Note(name, f"The same address as line {seen[address]}."))


def notes_of(batch: PeopleImport) -> dict[str, list[dict[str, Any]]]:
    """Return the first 500 faults and the first 500 remarks, in the order of the file. Two queries."""
    rows = batch.rows.in_file_order()
    faulty, remarked = rows.filter(fault_count__gt=0), rows.filter(remark_count__gt=0)
    return {
        "faults": [
            {"line": row.line, **note._asdict()}
            for row in faulty[:NOTES_SHOWN]
            for note in content_of(row)[1]
        ][:NOTES_SHOWN],
        "remarks": [
            {"line": row.line, **note._asdict()}
            for row in remarked[:NOTES_SHOWN]
            for note in content_of(row)[2]
        ][:NOTES_SHOWN],
    }


def rejected_csv(batch: PeopleImport, *, by: User) -> Iterator[str]:
    """Record the download, then return rejected rows as a file to be mended and sent again.

    Raises ImportExpired (409) once the rows are gone.
    """
    if not batch.may_go_on:
        raise ImportExpired
    rejected = batch.rows.in_file_order().filter(outcome=ImportRow.Outcome.REJECTED)
    audit.record(
        "people_import_rejected_rows_read", actor=by, target=batch, changes={"rows": rejected.count()}
    )
    names = batch.header
    ours = {place for place, name in enumerate(names) if squashed(name) in OURS}
    header = ["Line", "Reason", *without(ours, names)]
    return csv_pieces(header, (cells_of(row, ours) for row in rejected.iterator(chunk_size=STAGED_AT_ONCE)))


def csv_pieces(header: list[str], rows: Iterable[list[Any]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from csv_text(header, rows)


def cells_of(row: ImportRow, ours: set[int]) -> list[Any]:
    cells, faults, _ = content_of(row)
    reason = " ".join(f"{field}: {reason}" if field else reason for field, reason in faults)
    return [row.line, reason, *without(ours, cells)]


def without(places: set[int], cells: list[str]) -> list[str]:
    return [cell for place, cell in enumerate(cells) if place not in places]


@transaction.atomic
def start_commit(import_id: int, *, by: User) -> PeopleImport:
    """Let an import be written in the background; what runs already is started again, and loses nothing.

    One that is written stays as it is. Raises ImportUndone and ImportExpired (409).
    """
    batch = held(import_id)
    if batch.state in {State.UNDOING, State.UNDONE}:
        raise ImportUndone
    if batch.state == State.COMMITTED:
        return batch
    if not batch.may_begin:
        raise ImportExpired
    return begin(batch, State.COMMITTING, "users.tasks.commit_import", by=by)


@transaction.atomic
def start_undo(import_id: int, *, by: User) -> PeopleImport:
    """Let an import be taken back in the background; what runs already is started again.

    Raises ImportConflict, ImportUndone and ImportExpired (409).
    """
    batch = held(import_id)
    if batch.state == State.UNDONE:
        raise ImportUndone
    if batch.state not in {State.COMMITTED, State.UNDOING}:
        raise ImportConflict
    if not batch.may_begin:
        raise ImportExpired
    return begin(batch, State.UNDOING, "users.tasks.undo_import", by=by)


def held(import_id: int) -> PeopleImport:
    batch = hold_import(import_id)
    if batch is None:
        raise Missing
    return batch


def begin(batch: PeopleImport, state: PeopleImport.State, task: str, *, by: User) -> PeopleImport:
    batch.state, batch.acted_by = state, by
    batch.save(update_fields=["state", "acted_by"])
    enqueue_on_commit(task, import_id=batch.pk)
    return batch


def imports_whose_rows_are_over() -> QuerySet[PeopleImport]:
    last = timezone.now() - PeopleImport.KEEP_ROWS - PeopleImport.TIME_TO_END
    return PeopleImport.objects.ended_before(last)


def rows_that_are_over() -> QuerySet[ImportRow]:
    return ImportRow.objects.filter(batch__in=imports_whose_rows_are_over())


def old_imports() -> QuerySet[PeopleImport]:
    return PeopleImport.objects.filter(created_at__lt=timezone.now() - PeopleImport.KEEP)


def old_erased_addresses() -> QuerySet[ErasedAddress]:
    return ErasedAddress.objects.filter(erased_at__lt=timezone.now() - ErasedAddress.KEEP)


ROWS_THAT_ARE_OVER: Final = Old("rows of imports", rows_that_are_over, by="batch__created_at")
OLD_IMPORTS: Final = Old("imports", old_imports, by="created_at")
OLD_ERASED_ADDRESSES: Final = Old("digests of erased addresses", old_erased_addresses, by="erased_at")


def prune_imports() -> dict[str, int]:
    """Delete rows whose time is over, and after 90 days what remained of their imports. Safe to repeat."""
    rows = ROWS_THAT_ARE_OVER.delete()
    imports_whose_rows_are_over().exclude(sheet="").update(sheet="")
    OLD_ERASED_ADDRESSES.delete()
    return {"rows": rows, "imports": OLD_IMPORTS.delete()}


def forget_rows(user: User) -> None:
    """Delete what spreadsheets said of a person, and for a while know the address by its digest.

    Other rows may name it, sealed, as a guardian's: it must not come back from there. Where an undo
    erases whom it made, nobody asked to be forgotten: rows let go of them, and stay.
    """
    reached = ImportRow.objects.filter(person=user)
    if reached.filter(ImportRow.TAKEN_BACK).exists():
        reached.update(person=None)
        return
    keys = address_keys(user.email.lower())
    rows = ImportRow.objects.filter(Q(person=user) | Q(address_key__in=keys))
    batches = sorted(set(rows.values_list("batch_id", flat=True)))
    rows.delete()
    if batches:
        # Later, and not here: a step of the import holds its row, and waits for this person's.
        enqueue_on_commit("users.tasks.recount_imports", import_ids=batches)
    if ImportRow.objects.exists():
        ErasedAddress(address_key=keys[0]).save()


@transaction.atomic
def recount(import_id: int) -> None:
    """Count an import's rows again. Where all went by age, the counts stay as they were."""
    batch = hold_import(import_id)
    if batch is not None and batch.may_go_on:
        keep_counts(batch)
