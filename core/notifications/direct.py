"""Mail that a task of its own sends, such as a sign-in: with a delivery where an account has the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from core.mail import Envelope, compose
from core.models import Delivery, Notice
from core.notifications.faults import MAIL_FAULTS, fault_of
from core.notifications.mails import id_of, message_id
from core.tasks import Abandoned

if TYPE_CHECKING:
    from core.mail import Letter, Reader
    from users.models import User

State = Delivery.State


def send_once(
    letter: Letter, *, kind: str, subject: str, to: str, person: User | None, reader: Reader
) -> None:
    """Send a mail, unless it has left already: then its worker was killed before it could say so.

    Who has no account yet has no delivery: their mail may leave twice, with the same Message-ID. Raises
    what the mail backend raises, for the task to be tried again; Abandoned where no try can help.
    """
    delivery = delivery_of(person, kind=kind, subject=subject) if person else None
    if delivery is not None and delivery.state != State.QUEUED:
        return
    message = compose(letter, Envelope(to=to, message_id=message_id(kind, subject)), reader=reader)
    try:
        message.send()
    except MAIL_FAULTS as error:
        fault = fault_of(error)
        write(delivery, state=State.FAILED if fault.is_final else State.QUEUED, reason=fault.reason)
        if fault.is_final:
            raise Abandoned from None
        raise
    write(delivery, state=State.SENT, reason="", message_id=id_of(message), sent_at=timezone.now())


def give_up(*, kind: str, subject: str) -> None:
    """Note that a mail will not be tried again; nothing happens where none was tried."""
    rows = Delivery.objects.filter(notice__kind=kind, notice__subject=subject, state=State.QUEUED)
    rows.update(state=State.FAILED)


@transaction.atomic
def delivery_of(person: User, *, kind: str, subject: str) -> Delivery:
    """Return a person's delivery of that mail, which no other worker looks for: it is never due."""
    notice, _ = Notice.objects.get_or_create(
        kind=kind, subject=subject, defaults={"fanned_out_at": timezone.now()}
    )
    delivery, _ = Delivery.objects.get_or_create(
        notice=notice, person=person, defaults={"in_inbox": False, "state": State.QUEUED}
    )
    return delivery


def write(delivery: Delivery | None, **values: object) -> None:
    if delivery is not None:
        Delivery.objects.filter(pk=delivery.pk).update(attempts=delivery.attempts + 1, **values)
