"""Locks on people: always in the order of their ids, so that two writers never wait for each other.

They keep rows from being changed, and not from being pointed at (PostgreSQL's FOR NO KEY UPDATE).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from core.preconditions import confirm
from core.refusals import Forbidden, Missing, SignedOut
from users.access import administers
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Iterable


class Held(NamedTuple):
    """People as they are now, their rows locked."""

    person: User
    by: User
    admins: list[User]


def hold(person: User, *, by: User, beside: Q | None = None) -> Held:
    """Lock a person, who acts, whoever else is meant, and all admins where the person is one.

    Two admins who demote each other at once thus come one after the other. Raises Missing (404)
    where the person has gone, what ``acting`` raises where ``by`` may not act any more, and what ``confirm``
    raises.
    """
    which = Q(pk__in=[person.pk, by.pk])
    if person.is_platform_admin:
        which |= User.ADMINS
    if beside is not None:
        which |= beside
    rows = {row.pk: row for row in locked(which)}
    now = still_acting(by, rows.get(by.pk))
    if person.pk not in rows:
        raise Missing
    confirm()
    return Held(rows[person.pk], now, [row for row in rows.values() if administers(row)])


def acting(by: User, *, beside: Iterable[int] = ()) -> User:
    """Lock who acts, and people beside them, and return who acts as they are now.

    They were let in when the request began, and a body may take its time: raises SignedOut (401)
    where they have been suspended or erased since, Forbidden (403) where they are no admin any more.
    """
    rows = {row.pk: row for row in locked(Q(pk__in={by.pk, *beside}))}
    return still_acting(by, rows.get(by.pk))


def locked(which: Q) -> Iterable[User]:
    rows: Iterable[User] = User.objects.select_for_update(no_key=True).filter(which).order_by("pk")
    return rows


def still_acting(then: User, now: User | None) -> User:
    if now is None or not now.may_enter:
        raise SignedOut
    if then.is_platform_admin and not now.is_platform_admin:
        raise Forbidden
    return now
