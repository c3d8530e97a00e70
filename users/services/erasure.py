"""Deleting a person, and with them everything personal: what others still need loses its name."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from core import audit
from core.registry import erasure, held_for_erasure
from users.access import check_removal
from users.models import User
from users.services.accounts import end_access, forget_address
from users.services.holding import hold, locked
from users.services.traces import who_names


@transaction.atomic
def erase_person(person: User, *, by: User) -> None:
    """Delete an account for good. Raises NotYours (403), OwnAccount and LastAdmin (400).

    Every app first removes or pseudonymises what would outlive the row; the rest goes by foreign
    keys. Sessions and sockets end, and codes are void. Holds the rows that ``hold`` holds, and those
    of people in whose profile the person's address stands: theirs are written too.
    """
    held, by, admins = hold(person, by=by, beside=Q(pk__in=who_names(person.email)))
    check_removal(held, by=by, admins=admins)
    erase_held(held, by=by)


@transaction.atomic
def erase_again(person_id: int) -> bool:
    """Delete an account that had been erased, and came back with a backup; False where it is not there.

    Nobody acts, and nobody is asked: it was decided. Holds what ``erase_person`` holds.
    """
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        return False
    which = Q(pk=person_id) | Q(pk__in=who_names(person.email))
    held = {row.pk: row for row in locked(which)}
    erase_held(held[person_id], by=None)
    return True


def erase_held(person: User, *, by: User | None) -> None:
    """Delete an account that is held, with all that is personal."""
    # From here on nothing new can point at the row: what the cascade collects is all there is.
    User.objects.select_for_update().get(pk=person.pk)
    for hold_too in held_for_erasure:
        hold_too(person)
    end_access(person)
    forget_address(person.email)
    for erase in erasure:
        erase(person)
    audit.record("user_deleted", actor=by, target=person)
    person.delete()
