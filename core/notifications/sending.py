"""The mail of deliveries: sent over one connection, each written down as it has left.

A mail leaves twice only where the server took it and the worker died, or lost its database, before that was
written; with the same Message-ID.
"""

from __future__ import annotations

import logging
import smtplib
from collections import deque
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from traceback import format_tb
from typing import TYPE_CHECKING, Any, Final

from django.core.mail import get_connection
from django.utils import timezone

from core.models import Delivery
from core.notifications.claims import claim_batch, put_back
from core.notifications.fanout import route
from core.notifications.faults import MAIL_FAULTS, Fault, fault_of
from core.notifications.kinds import kind_of
from core.notifications.mails import NOT_TRUE, id_of, message_of, why_not
from core.notifications.troubles import in_trouble
from core.notifications.wishes import wishes_of
from core.tasks import delay_seconds
from core.watching import metrics
from core.watching.defects import report

if TYPE_CHECKING:
    from datetime import datetime

    from core.notifications.claims import Claim

logger = logging.getLogger(__name__)
State = Delivery.State

BATCH_SECONDS: Final = 60  # then the rest of a batch is left to whoever comes next
GIVE_UP_AFTER: Final = timedelta(days=4)  # RFC 5321 4.5.4.1
OURS: Final = Fault("fault of ours", is_final=False)
UNKNOWN: Final = Fault("unknown kind", is_final=False)  # to this worker: a newer one may be about to start


class MailServerAway(Exception):
    """Nobody's mail can leave now."""


def send_next_batch() -> bool:
    """Send what is due next; False where nothing is, or where no mail can leave now."""
    batch = claim_batch()
    if not batch:
        return False
    pending = deque(batch)
    sender = Sender()
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


class Sender:
    """Sends mails over one connection, each as its reader wishes at that moment."""

    def __init__(self) -> None:
        self.connection: Any = get_connection()
        self.has_fault = False

    def open(self) -> None:
        """Connect. Raises MailServerAway."""
        try:
            self.connection.open()
        except MAIL_FAULTS as error:
            logger.warning("mail_server_unreachable", extra={"fault": type(error).__name__})
            raise MailServerAway from error
        self.has_fault = False

    def end(self) -> None:
        """Part from the server: by its rules, or at once where it may not answer."""
        smtp = getattr(self.connection, "connection", None)
        if self.has_fault and isinstance(smtp, smtplib.SMTP):
            smtp.close()  # a QUIT would wait for its reply
            self.connection.connection = None
        with suppress(*MAIL_FAULTS):
            self.connection.close()

    def send(self, claim: Claim) -> None:
        """Send one mail, and write what became of it. Raises MailServerAway where there is no connection.

        One that cannot be written, by a fault of ours, waits like any other and holds up nobody.
        """
        held = claim.renewed()
        delivery = held and held.rows().select_related("notice", "person").first()
        if held is None or delivery is None:
            return
        kind = kind_of(delivery.notice.kind)
        held = held._replace(carries=kind is not None and kind.carries_others)
        self.has_fault = True  # until it turns out that there is none
        outcome = self.outcome_of(delivery)
        # Outside of what may break: a mail that has left must not be tried again.
        if isinstance(outcome, Fault):
            try_again(held, delivery, outcome)
        else:
            held.settle(**outcome)
        metrics.mails.labels("fault" if isinstance(outcome, Fault) else outcome["state"]).inc()
        self.has_fault = isinstance(outcome, Fault) and not outcome.is_final
        if self.has_fault:
            self.end()
            self.open()

    def outcome_of(self, delivery: Delivery) -> Fault | dict[str, Any]:
        """Send a mail where it is to leave now; return what to write of it, or why it did not leave."""
        try:
            return self.tried(delivery)
        except MAIL_FAULTS as error:
            return fault_of(error)
        except Exception as error:  # noqa: BLE001 - whatever a letter breaks, the next one leaves
            # Not its text, which may name a person.
            where = "".join(format_tb(error.__traceback__))
            told = {"delivery": delivery.pk, "fault": type(error).__name__, "where": where}
            logger.error("mail_broke", extra=told)  # noqa: TRY400
            report(error)
            return OURS

    def tried(self, delivery: Delivery) -> Fault | dict[str, Any]:
        kind, person = kind_of(delivery.notice.kind), delivery.person_id
        if kind is None:
            return UNKNOWN
        wishes, now = wishes_of([person])[person], timezone.now()
        if reason := why_not(delivery, kind, wishes, in_trouble([person]).get(person)):
            return {"state": State.DROPPED, "reason": reason}
        if delivery.attempts > 1 and now > last_moment(delivery):
            return {"state": State.FAILED, "reason": delivery.reason or "given up"}
        state, due_at = route(delivery.notice, kind, wishes, now=now)
        if state != State.QUEUED or due_at is None or due_at > now:
            # Its reader wants it later by now: it is night, or they chose the daily mail.
            return {"state": state, "due_at": due_at}
        message = message_of(delivery, kind, wishes)
        if message is None:
            return {"state": State.DROPPED, "reason": NOT_TRUE}
        message.connection = self.connection
        message.send()
        return {"state": State.SENT, "message_id": id_of(message), "sent_at": timezone.now()}


def try_again(claim: Claim, delivery: Delivery, fault: Fault) -> None:
    """Write down a failed try: the mail is due again later, unless that is of no use."""
    logger.info("mail_failed", extra={"delivery": delivery.pk, "reason": fault.reason})
    later = timezone.now() + timedelta(seconds=delay_seconds(min(delivery.attempts, 20)))
    if fault.is_final or later > last_moment(delivery):
        claim.settle(state=State.FAILED, reason=fault.reason)
    else:
        claim.settle(state=State.QUEUED, due_at=later, reason=fault.reason)


def last_moment(delivery: Delivery) -> datetime:
    """Return until when a mail is tried again."""
    # A notice for the inbox alone may be mailed long after; what was put off, too: its age counts anew.
    given_up = max(delivery.created_at, delivery.notice.created_at) + GIVE_UP_AFTER
    stale_at = delivery.notice.stale_at
    return min(given_up, stale_at) if stale_at else given_up
