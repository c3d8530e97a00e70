"""Mailboxes that take no mail from us: told by the mail service, lifted by an admin or by a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from core import audit
from core.models import Delivery, MailTrouble

if TYPE_CHECKING:
    from collections.abc import Collection

    from users.models import User

STATES: Final = {
    MailTrouble.Cause.BOUNCED: Delivery.State.BOUNCED,
    MailTrouble.Cause.COMPLAINED: Delivery.State.COMPLAINED,
}


def in_trouble(people: Collection[int]) -> dict[int, MailTrouble]:
    """Return which of these people (by id) get no mail at the address that they have now. One query."""
    rows = MailTrouble.objects.filter(person__in=people).select_related("person")
    return {row.person_id: row for row in rows if row.address.lower() == row.person.email.lower()}


def trouble_of(person: User) -> MailTrouble | None:
    """Return why a person gets no mail at the address that they have now, of what was read with them."""
    try:
        trouble: MailTrouble = person.mail_trouble
    except MailTrouble.DoesNotExist:
        return None
    return trouble if trouble.address.lower() == person.email.lower() else None


@transaction.atomic
def report(address: str, *, cause: str, message_id: str = "", detail: str = "") -> bool:
    """Note that a mailbox gave mail back or complained; False where no account has that address.

    Safe to repeat, as services do. A complaint is not turned back into a bounce. Holds nobody.
    """
    mark_delivery(address, cause=cause, message_id=message_id, detail=detail)
    person = get_user_model().objects.with_address(address.strip().lower()).first()
    if person is None:
        return False
    trouble, is_new = MailTrouble.objects.get_or_create(
        person=person, defaults={"address": person.email, "cause": cause, "detail": detail[:100]}
    )
    if trouble.address.lower() != person.email.lower() or (
        cause == MailTrouble.Cause.COMPLAINED and trouble.cause != cause
    ):
        trouble.address, trouble.cause, trouble.detail = person.email, cause, detail[:100]
        trouble.happened_at = timezone.now()
        trouble.save()
        is_new = True
    if is_new:
        audit.record("mail_suppressed", actor=None, target=person, changes={"cause": cause})
    return True


def mark_delivery(address: str, *, cause: str, message_id: str, detail: str) -> None:
    """Say at the delivery of that mail, to that address, what became of it."""
    if message_id:
        rows = Delivery.objects.filter(message_id=message_id, person__email__iexact=address.strip())
        rows.filter(state__in=[Delivery.State.SENT, Delivery.State.BOUNCED]).update(
            state=STATES[MailTrouble.Cause(cause)], reason=detail[:100]
        )


@transaction.atomic
def lift(person: User, *, by: User) -> bool:
    """Let a person have mail again; False where they had no trouble."""
    gone, _ = MailTrouble.objects.filter(person=person).delete()
    if gone:
        audit.record("mail_allowed", actor=by, target=person)
    return bool(gone)


def lift_bounce(person: User) -> None:
    """Forget that a mailbox gave mail back: its owner has just read one there. A complaint stays."""
    MailTrouble.objects.filter(person=person, cause=MailTrouble.Cause.BOUNCED).delete()
