"""Telling people how they stand with the programme, whenever somebody else has changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.db.models import TextChoices

from core.notifications.notices import notify
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND: Final = "account_status"


class Change(TextChoices):
    """What a change of an account means to the person whose it is."""

    APPROVED = "approved"
    SUSPENDED = "suspended"
    REOPENED = "reopened"


def tell_of_change(person: User, *, before: Mapping[str, Any]) -> None:
    """Tell a person of a change that they feel; ``before`` is what stood in the columns that were written.

    By inbox and mail, in the transaction of the change.
    """
    change = change_between(
        User(
            status=before.get("status", person.status),
            is_active=before.get("is_active", person.is_active),
        ),
        person,
    )
    if change is not None:
        notify(KIND, subject=f"{person.pk} {uuid4()}", data={"change": change.value}, to=[person.pk])


def change_between(then: User, now: User) -> Change | None:
    """Return what a change means: who may enter, and who has been approved. Nothing else is felt."""
    if then.may_enter != now.may_enter:
        return Change.REOPENED if now.may_enter else Change.SUSPENDED
    is_approved = then.status == User.Status.PENDING and now.status == User.Status.ACTIVE
    return Change.APPROVED if is_approved and now.may_enter else None
