"""Deleting a person, and with them everything personal: what others still need loses its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from core import audit
from core.registry import erasure
from users.access import check_removal
from users.services.accounts import end_access, forget_address, hold

if TYPE_CHECKING:
    from users.models import User


@transaction.atomic
def erase_person(person: User, *, by: User) -> None:
    """Delete an account for good. Raises NotYours (403), OwnAccount and LastAdmin (400).

    Every app first removes or pseudonymises what would outlive the row; the rest goes by foreign
    keys. Sessions and sockets end, and codes are void. Holds the rows that ``hold`` holds.
    """
    locked, admins = hold(person, by=by)
    check_removal(locked, by=by, admins=admins)
    end_access(locked)
    forget_address(locked.email)
    for erase in erasure:
        erase(locked)
    audit.record("user_deleted", actor=by, target=locked)
    locked.delete()
