"""The mail of deliveries: claimed by one worker, sent over one connection, each marked as it has left.

To claim is to move ``due_at`` on: what a killed worker had claimed is due again by itself. A mail leaves
twice only where the server took it and the worker died before that was written; with the same Message-ID.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.mail import Envelope, compose
from core.models import Delivery
from core.notifications.faults import MAIL_FAULTS, Fault, fault_of
from core.notifications.kinds import Pace, Told, kind_of
from core.notifications.troubles import in_trouble
from core.notifications.unsubscribe import unsubscribe_link
from core.notifications.wishes import wishes_of
from core.tasks import delay_seconds

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.core.mail import EmailMultiAlternatives

    from core.models import MailTrouble
    from core.notifications.kinds import Kind
    from core.notifications.wishes import Wishes

logger = logging.getLogger(__name__)
State = Delivery.State

BATCH: Final = 20
LEASE: Final = timedelta(minutes=3)
BATCH_SECONDS: Final = 60  # then the rest of a batch is left to whoever comes next
GIVE_UP_AFTER: Final = timedelta(days=4)  # RFC 5321 4.5.4.1


class MailServerAway(Exception):
    """Nobody's mail can leave now."""


def send_next_batch() -> bool:
    """Send what is due next; False where nothing is, or where no mail can leave now."""
    batch = claim()
    if not batch:
        return False
    pending = deque(batch)
    sender = Sender(batch)
    try:
        sender.open()
        over = monotonic() + BATCH_SECONDS
        while pending and monotonic() < over:
            sender.send(pending.popleft())
    except MailServerAway:
        logger.warning("mail_server_away", extra={"waiting": len(pending)})
        return False
    finally:
        # Whatever has come between: the others' mail is due as it was.
        sender.end()
        put_back(pending)
    return True


@transaction.atomic
def claim() -> list[Delivery]:
    """Claim the most urgent mail that is due, for three minutes."""
    rows = Delivery.objects.due().select_for_update(skip_locked=True, no_key=True)
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    claimed = Delivery.objects.filter(pk__in=ids)
    claimed.update(due_at=timezone.now() + LEASE)
    return list(claimed.select_related("notice", "person").order_by("-priority", "pk"))


def put_back(pending: Collection[Delivery]) -> None:
    """Give up a claim on mail that was not tried."""
    left = [delivery.pk for delivery in pending]
    if left:
        Delivery.objects.filter(pk__in=left, state=State.QUEUED).update(due_at=timezone.now())


class Sender:
    """Sends the mails of one batch, for which it has read what their readers wish."""

    def __init__(self, batch: Collection[Delivery]) -> None:
        people = [delivery.person_id for delivery in batch]
        self.wishes = wishes_of(people)
        self.troubles = in_trouble(people)
        self.connection: Any = get_connection()
        self.at_work: Delivery | None = None

    def open(self) -> None:
        """Connect. Raises MailServerAway."""
        try:
            self.connection.open()
        except MAIL_FAULTS as error:
            logger.warning("mail_server_unreachable", extra={"fault": type(error).__name__})
            raise MailServerAway from error

    def close(self) -> None:
        with suppress(*MAIL_FAULTS):
            self.connection.close()

    def end(self) -> None:
        """Close. A mail that broke its worker waits, longer each time, and holds up no other."""
        self.close()
        if self.at_work is not None:
            try_again(self.at_work, Fault("fault of ours", is_final=False))

    def send(self, delivery: Delivery) -> None:
        """Send one mail, and write what became of it. Raises MailServerAway where there is no connection."""
        self.at_work = delivery
        fault = self.fault_in_sending(delivery)
        self.at_work = None
        if fault is not None and not fault.is_final:
            self.close()  # it may have ended with the fault
            self.open()

    def fault_in_sending(self, delivery: Delivery) -> Fault | None:
        kind, wishes = kind_of(delivery.notice.kind), self.wishes[delivery.person_id]
        reason = why_not(delivery, kind, wishes, self.troubles.get(delivery.person_id))
        message = None if reason or kind is None else message_of(delivery, kind, wishes)
        if message is None:
            settle(delivery, state=State.DROPPED, reason=reason or "not true any more")
            return None
        message.connection = self.connection
        try:
            message.send()
        except MAIL_FAULTS as error:
            fault = fault_of(error)
            try_again(delivery, fault)
            return fault
        settle(delivery, state=State.SENT, message_id=id_of(message), sent_at=timezone.now())
        return None


def try_again(delivery: Delivery, fault: Fault) -> None:
    """Write down a failed try: the mail is due again later, unless that is of no use."""
    logger.info("mail_failed", extra={"delivery": delivery.pk, "reason": fault.reason})
    later = timezone.now() + timedelta(seconds=delay_seconds(min(delivery.attempts + 1, 20)))
    if fault.is_final or later > last_moment(delivery):
        settle(delivery, state=State.FAILED, reason=fault.reason)
    else:
        settle(delivery, state=State.QUEUED, due_at=later, reason=fault.reason)


def why_not(delivery: Delivery, kind: Kind | None, wishes: Wishes, trouble: MailTrouble | None) -> str:
    """Return why a mail is not to leave after all, or nothing: much may have changed since it was queued."""
    stale_at = delivery.notice.stale_at
    if kind is None:
        return "unknown kind"
    if not (delivery.person.may_enter or kind.reaches_suspended):
        return "suspended"
    if trouble is not None:
        return f"address {trouble.cause}"
    if wishes.pace(kind) == Pace.OFF:
        return "not wanted"
    return "too late" if stale_at is not None and stale_at <= timezone.now() else ""


def message_of(delivery: Delivery, kind: Kind, wishes: Wishes) -> EmailMultiAlternatives | None:
    """Return a person's mail, in their language; None where there is nothing to say any more."""
    reader = wishes.reader
    with reader.speaking():
        letter = kind.letter(Told(delivery.person, delivery.notice.data, reader))
        if letter is None:
            return None
        optional = not kind.is_mandatory
        envelope = Envelope(
            to=delivery.person.email,
            message_id=message_id(kind.name, str(delivery.pk)),
            unsubscribe=unsubscribe_link(delivery.person_id, kind.name) if optional else "",
        )
        return compose(letter, envelope, reader=reader)


def message_id(kind: str, number: str) -> str:
    """Return a Message-ID (RFC 5322 3.6.4) that is the same at each try, and that nobody can guess."""
    digest = salted_hmac("core.notifications.message", f"{kind} {number}", algorithm="sha256").hexdigest()
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"
    return f"<{kind}.{number}.{digest[:16]}@{domain}>"


def id_of(message: EmailMultiAlternatives) -> str:
    """Return by which id webhooks will name a mail: the service's own, or its Message-ID."""
    status = getattr(message, "anymail_status", None)  # set by Anymail's backends alone
    given = getattr(status, "message_id", None)
    return str(given or message.extra_headers["Message-ID"])[:200]


def last_moment(delivery: Delivery) -> Any:
    """Return until when a mail is tried again."""
    given_up = delivery.created_at + GIVE_UP_AFTER
    stale_at = delivery.notice.stale_at
    return min(given_up, stale_at) if stale_at else given_up


def settle(delivery: Delivery, *, state: str, reason: str = "", **more: Any) -> None:
    """Write what became of a try, at once and alone: whoever is killed after it has lost no other."""
    tried = state != State.DROPPED
    values = {"state": state, "reason": reason, "due_at": None, "attempts": delivery.attempts + tried, **more}
    Delivery.objects.filter(pk=delivery.pk, state=State.QUEUED).update(**values)
