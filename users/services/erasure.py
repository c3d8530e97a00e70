"""Deleting a person, and with them everything personal: what others still need loses its name."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from core import audit
from core.registry import erasure, held_for_erasure
from users.access import check_removal
from users.models import User
from users.services.accounts import end_access, forget_address
from users.services.holding import hold
from users.services.traces import who_names


@transaction.atomic
def erase_person(person: User, *, by: User) -> None:
    """Delete an account for good. Raises NotYours (403), OwnAccount and LastAdmin (400).

    Every app first removes or pseudonymises what would outlive the row; the rest goes by foreign
    keys. Sessions and sockets end, and codes are void. Holds the rows that ``hold`` holds, and those
    of people in whose profile the person's address stands: theirs are written too.
    """
    locked, by, admins = hold(person, by=by, beside=Q(pk__in=who_names(person.email)))
    check_removal(locked, by=by, admins=admins)
    # From here on nothing new can point at the row: what the cascade collects is all there is.
    User.objects.select_for_update().get(pk=locked.pk)
    for hold_too in held_for_erasure:
        hold_too(locked)
    end_access(locked)
    forget_address(locked.email)
    for erase in erasure:
        erase(locked)
    audit.record("user_deleted", actor=by, target=locked)
    locked.delete()
