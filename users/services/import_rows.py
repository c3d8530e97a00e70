"""What the steps of an import share: its lock, its rows unsealed, the people they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from django.db.models.functions import Lower

from core.refusals import Forbidden, Refused, SignedOut
from core.sealing import Unreadable, seal, unseal
from core.tasks import Abandoned
from users.access import administers
from users.addresses import address_keys
from users.models import ErasedAddress, PeopleImport, User
from users.services.holding import locked, still_acting
from users.spreadsheets.columns import Note, mailbox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from users.models import ImportRow

PURPOSE: Final = PeopleImport.SEALED_FOR
ROWS_AT_ONCE: Final = 50
LOST: Final = "What was kept of this row can no longer be read. Check the file again."


class ImportStopped(Abandoned):
    """Nobody may go on with it now: who asked for it is no admin any more, or its time is over."""


class ImportConflict(Refused):
    """The import is not in a state for this (409)."""

    status = 409
    code = "import_not_committed"
    sentence = "This import has not been committed."


class ImportUndone(ImportConflict):
    """It was undone, or is being undone (409)."""

    code = "import_undone"
    sentence = "This import was undone. Check the file again to import it once more."


class ImportExpired(ImportConflict):
    """Its rows are no longer kept (409)."""

    code = "import_expired"
    sentence = "This import was checked or written more than 24 hours ago. Check the file again."


def hold_import(import_id: int) -> PeopleImport | None:
    """Lock an import's row: one step of it at a time, whoever takes it."""
    return PeopleImport.objects.select_for_update(of=("self",)).filter(pk=import_id).first()


def actor_of(batch: PeopleImport) -> User:
    """Return the admin who asked for a step. Raises ImportStopped where it must not go on."""
    actor = batch.acted_by
    if actor is None or not administers(actor) or not batch.may_go_on:
        raise ImportStopped
    return actor


def keep_counts(batch: PeopleImport, **changes: Any) -> None:
    """Save what changed of an import, with the counts of its rows."""
    for name, value in changes.items():
        setattr(batch, name, value)
    batch.counts = batch.rows.all().tally()
    batch.save(update_fields=["counts", *changes])


def put_content(row: ImportRow, cells: list[str], faults: list[Note], remarks: list[Note]) -> None:
    content = {
        "cells": cells,
        "faults": [list(note) for note in faults],
        "remarks": [list(note) for note in remarks],
    }
    row.content = seal(content, purpose=PURPOSE)
    row.fault_count, row.remark_count = len(faults), len(remarks)


def content_of(row: ImportRow) -> tuple[list[str], list[Note], list[Note]]:
    """Return cells, faults and remarks; after a lost key no cells, and a fault that says so."""
    try:
        content = unseal(row.content, purpose=PURPOSE)
    except Unreadable:
        return [], [Note("", LOST)], []
    return content["cells"], notes(content["faults"]), notes(content["remarks"])


def notes(stored: Iterable[Iterable[str]]) -> list[Note]:
    return [Note(*each) for each in stored]


def people_with(addresses: Collection[str]) -> dict[str, User]:
    """Return who has which of these normalised addresses, with the rows beside the account: one query."""
    found = User.objects.alias(address=Lower("email")).filter(address__in=addresses)
    return {person.email.lower(): person for person in found.select_related("profile", "supervisor_profile")}


def hold_people(ids: Collection[int], *, by: User) -> User:
    """Lock people and who acts, every admin with them where one is an admin: as ``hold`` does.

    Returns who acts as they are now. Raises ImportStopped.
    """
    which = Q(pk__in={by.pk, *ids})
    if User.objects.filter(User.ADMINS, pk__in=ids).exists():
        which |= User.ADMINS
    rows = {row.pk: row for row in locked(which)}
    try:
        return still_acting(by, rows.get(by.pk))
    except (Forbidden, SignedOut) as refusal:
        raise ImportStopped from refusal


def stop_where_lost(refusal: Refused) -> None:
    """Raise ImportStopped where who acts was refused, and not the row: they are no admin any more."""
    if isinstance(refusal, SignedOut) or type(refusal) is Forbidden:
        raise ImportStopped from refusal


def erased_among(batch: PeopleImport, addresses: Iterable[str]) -> set[str]:
    """Return, as ``mailbox`` does, whose people were erased since the check: one query, none for none."""
    keys = {
        key: address for address in map(mailbox, filter(None, addresses)) for key in address_keys(address)
    }
    found = ErasedAddress.objects.filter(address_key__in=keys, erased_at__gte=batch.created_at)
    return {keys[key] for key in found.values_list("address_key", flat=True)} if keys else set()


def active_admins() -> list[User]:
    return [person for person in User.objects.filter(User.ADMINS) if administers(person)]
