"""Writing a checked import, some rows at a time: killed in between, it goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.refusals import Refused
from core.sealing import seal
from users.models import ImportRow, PeopleImport, User
from users.services.accounts import (
    AddressTaken,
    change_account,
    create_account,
    hold_for_access_end,
)
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
    people_with,
    put_content,
    stop_where_lost,
)
from users.services.imports import situation_of
from users.spreadsheets.columns import Columns, Note, Wanted
from users.spreadsheets.planning import NAMING, Plan

if TYPE_CHECKING:
    from users.spreadsheets.planning import Situation

Read = list[tuple[ImportRow, Wanted]]
Outcome = ImportRow.Outcome
MOVED: Final = "Since the check, this address has been changed or its account deleted. Check the file again."
NOT_STORABLE: Final = "These values cannot be stored together."


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
    write_rows(batch, read_again(batch, rows), by=actor)
    keep_counts(batch)
    return True


def read_again(batch: PeopleImport, rows: list[ImportRow]) -> Read:
    """Read kept rows again, in the order of their addresses.

    Two imports that make the same new people wait for each other at those: never crosswise.
    """
    header = batch.header
    columns = Columns(header) if header else None
    return sorted(((row, wanted_of(row, columns)) for row in rows), key=lambda pair: pair[1].address)


def wanted_of(row: ImportRow, columns: Columns | None) -> Wanted:
    """Read one; where it cannot be unsealed any more, or the header cannot, it says so instead."""
    cells, lost, _ = content_of(row)
    return Wanted(faults=lost or [Note("", LOST)]) if lost or columns is None else columns.read(cells)


def write_rows(batch: PeopleImport, read: Read, *, by: User) -> None:
    """Write rows with whom they are about held. One whose person was erased meanwhile has gone with them."""
    people = people_with({address for _, wanted in read for address in (wanted.address, wanted.new_address)})
    ids = {person.pk for person in people.values()} | {row.person_id for row, _ in read if row.person_id}
    by = hold_people(ids, by=by)
    left = set(batch.rows.filter(pk__in=[row.pk for row, _ in read]).values_list("pk", flat=True))
    read = [(row, wanted) for row, wanted in read if row.pk in left]
    situation = situation_now(batch, [wanted for _, wanted in read], by=by)
    hold_for_access_end(suspended_by([situation.plan(wanted) for _, wanted in read]))
    for row, wanted in read:
        write_row(row, wanted, situation)


def suspended_by(plans: list[Plan]) -> set[int]:
    """Return the ids of the people whom plans suspend."""
    return {
        plan.person.pk
        for plan in plans
        if plan.person and plan.new.get("account", {}).get("status") == User.Status.INACTIVE
    }


def situation_now(batch: PeopleImport, wanted: list[Wanted], *, by: User) -> Situation:
    """Look up what rows meet, also who was erased since the check. Three queries."""
    profiles: list[dict[str, Any]] = [each.values.get("profile", {}) for each in wanted]
    named = {profile[name] for profile in profiles for name in NAMING if name in profile}
    return replace(situation_of(batch, wanted, by=by), erased=erased_among(batch, named))


def write_row(row: ImportRow, wanted: Wanted, situation: Situation) -> None:
    plan = planned(row, wanted, situation)
    refusal = refusal_of(row, plan, by=situation.by)
    if plan.outcome == Outcome.CREATE and isinstance(refusal, AddressTaken):
        # Somebody else has made them at this very moment: now they exist, and the row changes them.
        plan = planned(row, wanted, situation_now(situation.batch, [wanted], by=situation.by))
        refusal = refusal_of(row, plan, by=situation.by)
    if refusal is not None:
        plan = Plan(Outcome.REJECTED, plan.person, faults=[Note(refusal.field or "", refusal.message)])
    keep_written(row, plan)


def planned(row: ImportRow, wanted: Wanted, situation: Situation) -> Plan:
    plan = situation.plan(wanted)
    if plan.outcome == Outcome.CREATE and row.outcome == Outcome.UPDATE:
        return Plan(Outcome.REJECTED, faults=[Note("email", MOVED)])
    return plan


def refusal_of(row: ImportRow, plan: Plan, *, by: User) -> Refused | None:
    """Do what a plan says, and return why not. Raises ImportStopped."""
    try:
        with transaction.atomic():
            row.person = apply(plan, by=by)
    except Refused as refusal:
        stop_where_lost(refusal)
        return refusal
    except (DataError, IntegrityError):
        return Refused(NOT_STORABLE)
    return None


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
        row.before = seal(undoable(plan), purpose=PURPOSE)
    row.save(force_update=True)  # a row that was erased meanwhile must not come back


def undoable(plan: Plan) -> dict[str, Any]:
    """Return what an undo needs: what stood there before, what stands there now, which row was not there."""
    person = plan.person
    if plan.outcome == Outcome.CREATE or person is None:
        return {"old": None, "new": plan.new}
    made = "supervisor_profile" in plan.new and getattr(person, "supervisor_profile", None) is None
    return {"old": plan.old, "new": plan.new, "made_supervisor_profile": made}
