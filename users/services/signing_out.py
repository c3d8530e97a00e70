"""Signing somebody out everywhere, at an admin's wish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from core import audit
from users.access import check_reach
from users.services.accounts import end_access
from users.services.holding import hold

if TYPE_CHECKING:
    from users.models import User


@transaction.atomic
def sign_out(person: User, *, by: User) -> None:
    """End every session of a person, also at the admin site. They may sign in again.

    Raises NotYours (403), and what ``hold`` raises, which says whose rows are held.
    """
    locked, by, _ = hold(person, by=by)
    check_reach(locked, by=by)
    end_access(locked)
    audit.record("signed_out_everywhere", actor=by, target=locked)
