"""Telling people how they stand with the programme, whenever somebody else has changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.db.models import Subquery, TextChoices

from core.models import Notice
from core.notifications.notices import notify
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KIND: Final = "account_status"


class Change(TextChoices):
    """What a change of an account means to the person whose it is."""

    APPROVED = "approved"
    SUSPENDED = "suspended"
    REOPENED = "reopened"


# What holds of the account for as long as a change does.
IS_SO: Final[dict[Change, Callable[[User], bool]]] = {
    Change.APPROVED: lambda user: user.may_enter and user.status == User.Status.ACTIVE,
    Change.SUSPENDED: lambda user: not user.may_enter,
    Change.REOPENED: lambda user: user.may_enter,
}


def change_between(then: User, now: User) -> Change | None:
    """Return what a change means: who may enter, and who has been approved. Nothing else is felt."""
    if then.may_enter != now.may_enter:
        return Change.REOPENED if now.may_enter else Change.SUSPENDED
    is_approved = then.status == User.Status.PENDING and now.status == User.Status.ACTIVE
    return Change.APPROVED if is_approved and now.may_enter else None


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
        subject = f"{prefix_of(person.pk)}{uuid4()}"
        notify(KIND, subject=subject, data={"change": change.value}, to=[person.pk])


def prefix_of(person: int) -> str:
    """Return how the subject of each notice about a person begins."""
    return f"{person} "


def still_stands(change: Change, person: int, *, delivery_id: int | None) -> bool:
    """Return whether a change is the last one of which a person (by id) is told, and is so now.

    Asked as the mail of that delivery leaves: where several changes came before any mail, one does.
    """
    now = User.objects.filter(pk=person).first()
    if now is None or not IS_SO[change](now):
        return False
    told = Notice.objects.filter(deliveries=delivery_id).values("pk")
    about = Notice.objects.filter(kind=KIND, subject__startswith=prefix_of(person))
    return not about.filter(pk__gt=Subquery(told[:1])).exists()
