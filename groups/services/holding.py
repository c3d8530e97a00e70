"""Locks on groups: people first, in the order of their ids, then the group, so that nobody waits in a ring.

A group's row keeps its members, its mentor and the places in its plan from being changed by two at once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.db.models import F

from core.preconditions import confirm
from core.realtime import recheck_sockets, room_of_group
from core.refusals import Missing
from groups.access import can_manage
from groups.models import Group
from users.services.holding import acting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from users.models import User

# What is archived or removed can be brought back for so long; then it goes for good.
RESTORABLE_DAYS: Final = 30


class HeldGroup(NamedTuple):
    """A group as it is now, its row locked, and who acts. None acts at the command line."""

    group: Group
    by: User | None


def hold_group(group: Group, *, by: User | None, beside: Iterable[int] = ()) -> HeldGroup:
    """Lock who acts, people beside them (by id), and then the group.

    Raises Missing (404) where the group has been archived, or the person has left it, since they
    were let in; and what ``acting`` and ``confirm`` raise.
    """
    by = still_acting(by, beside=beside)
    rows = Group.objects.select_for_update(no_key=True)
    found: Group | None = rows.filter(pk=group.pk).first()
    # In a statement of its own: it must see what was committed while the lock was waited for.
    if found is None or not (by is None or can_manage(by, found)):
        raise Missing
    confirm()
    return HeldGroup(found, by)


def still_acting(by: User | None, *, beside: Iterable[int] = ()) -> User | None:
    """Lock who acts, as ``acting`` does; nobody, where an operator does at the command line."""
    return by if by is None else acting(by, beside=beside)


def recheck_on_commit(*groups: Group) -> None:
    """Have every open socket of the groups ask again whether it may stay, once this is committed.

    The version is for those that do not hear it; the groups must be held. One query.
    """
    held = Group.objects.filter(pk__in=[group.pk for group in groups])
    held.update(access_version=F("access_version") + 1)
    for group in groups:
        transaction.on_commit(partial(recheck_sockets, room=room_of_group(group.room)))
