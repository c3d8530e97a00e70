"""Writing a checked import, some rows at a time: killed in between, it goes on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.refusals import Refused
from core.sealing import seal
from users.models import ImportRow, PeopleImport, User
from users.services.accounts import change_account, create_account
from users.services.import_rows import (
    PURPOSE,
    ROWS_AT_ONCE,
    actor_of,
    content_of,
    hold_import,
    hold_people,
    keep_counts,
    people_with,
    put_content,
)
from users.services.imports import situation_of
from users.spreadsheets.columns import Columns, Note, Wanted
from users.spreadsheets.planning import Plan

if TYPE_CHECKING:
    from users.spreadsheets.planning import Situation

Outcome = ImportRow.Outcome
MOVED = "Since the check, this address has been changed or its account deleted. Check the file again."
NOT_STORABLE = "These values cannot be stored together."


@transaction.atomic
def write_next_rows(import_id: int) -> bool:
    """Write up to 50 rows that wait, and tell whether more may. Holds the import's row, and the people's.

    What a row would do is planned anew against what is stored now, so that a row written before is
    found unchanged. Raises ImportStopped.
    """
    batch = hold_import(import_id)
    if batch is None or batch.state != PeopleImport.State.COMMITTING:
        return False
    actor = actor_of(batch)
    rows = list(batch.rows.to_write().in_file_order()[:ROWS_AT_ONCE])
    if not rows:
        keep_counts(batch, state=PeopleImport.State.COMMITTED, committed_at=timezone.now())
        audit.record("people_import_committed", actor=actor, target=batch, changes=batch.counts)
        return False
    columns = Columns(batch.header)
    read = [(row, wanted_of(row, columns)) for row in rows]
    situation = held_situation(batch, [wanted for _, wanted in read], by=actor)
    for row, wanted in read:
        write_row(row, wanted, situation)
    keep_counts(batch)
    return True


def wanted_of(row: ImportRow, columns: Columns) -> Wanted:
    """Read a kept row again; one that cannot be unsealed any more says so instead."""
    cells, lost, _ = content_of(row)
    return Wanted(faults=lost) if lost else columns.read(cells)


def held_situation(batch: PeopleImport, wanted: list[Wanted], *, by: User) -> Situation:
    """Look up whom rows are about, with their rows held."""
    addresses = {address for each in wanted for address in (each.address, each.new_address) if address}
    hold_people(people_with(addresses).values())
    return situation_of(batch, wanted, by=by)


def write_row(row: ImportRow, wanted: Wanted, situation: Situation) -> None:
    plan = situation.plan(wanted)
    if plan.outcome == Outcome.CREATE and row.outcome == Outcome.UPDATE:
        plan = Plan(Outcome.REJECTED, faults=[Note("email", MOVED)])
    try:
        with transaction.atomic():
            row.person = apply(plan, by=situation.by)
    except Refused as refusal:
        plan = Plan(Outcome.REJECTED, plan.person, faults=[Note(refusal.field or "", refusal.message)])
    except (DataError, IntegrityError):
        plan = Plan(Outcome.REJECTED, plan.person, faults=[Note("", NOT_STORABLE)])
    keep_written(row, plan)


def apply(plan: Plan, *, by: User) -> User | None:
    """Do what a plan says, and return to whom."""
    if plan.outcome == Outcome.CREATE:
        return create_account(by=by, **plan.new)
    if plan.outcome == Outcome.UPDATE and plan.person is not None:
        return change_account(plan.person, by=by, **plan.new)
    return plan.person


def keep_written(row: ImportRow, plan: Plan) -> None:
    row.outcome = plan.outcome
    put_content(row, content_of(row)[0], plan.faults, plan.remarks)
    if plan.outcome in {Outcome.CREATE, Outcome.UPDATE}:
        row.state = ImportRow.State.WRITTEN
        old = plan.old if plan.outcome == Outcome.UPDATE else None
        row.before = seal({"old": old, "new": plan.new}, purpose=PURPOSE)
    row.save(force_update=True)  # a row that was erased meanwhile must not come back
