"""What the mail service says became of our mail: mailboxes that gave it back, people who complained.

Anymail reads the webhooks of a dozen services (``core.inbox.webhooks``) and gives their words one meaning.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from anymail.signals import EventType, RejectReason

from core.models import MailTrouble
from core.moments import moment_of
from core.notifications import troubles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anymail.signals import AnymailTrackingEvent

Cause = MailTrouble.Cause

COMPLAINTS: Final = {EventType.COMPLAINED, EventType.UNSUBSCRIBED}
# What a service blocked for its own reasons, or gave up after some days, says nothing of the mailbox.
OF_THE_MAILBOX: Final = {RejectReason.BOUNCED, RejectReason.INVALID}
# Mandrill alone gives no reason with a bounce.
WITHOUT_REASON: Final = {"Mandrill"}
# Where a service says of a bounce that it will pass: a full mailbox, say. Anymail does not tell these apart.
# The way into the service's own document, and the words that stand there.
PASSING: Final[dict[str, tuple[tuple[str, ...], frozenset[Any]]]] = {
    "Amazon SES": (("bounce", "bounceType"), frozenset({"Transient", "Undetermined"})),
    "Brevo": (("event",), frozenset({"soft_bounce"})),
    "MailerSend": (("data", "type"), frozenset({"soft_bounced"})),
    "Mailjet": (("hard_bounce",), frozenset({False, "", None})),
    "Mandrill": (("event",), frozenset({"soft_bounce"})),
    "Postmark": (("Type",), frozenset({"SoftBounce"})),
    "Resend": (("data", "bounce", "type"), frozenset({"Transient", "Undetermined"})),
    "SendinBlue": (("event",), frozenset({"soft_bounce"})),
    "SparkPost": (
        ("msys", "message_event", "bounce_class"),
        frozenset({"20", "21", "22", "23", "24", "40", "70", "100"}),
    ),
}


def note(events: Iterable[AnymailTrackingEvent], service: str) -> None:
    """Note what a service tells in one request. What this raises has the service tell it all again."""
    troubles.report(told for event in events if (told := event_of(event, service)))


def event_of(event: AnymailTrackingEvent, service: str) -> troubles.Event | None:
    """Return what an event says of a mailbox; None where it says nothing, or what nobody can read."""
    cause, address = cause_of(event, service), text_of(event.recipient)
    if cause is None or not address:
        return None
    return troubles.Event(
        address=address,
        cause=cause,
        message_id=text_of(event.message_id),
        detail=f"{service}: {event.reject_reason or event.event_type}",
        at=moment_of(event.timestamp) if isinstance(event.timestamp, datetime) else None,
    )


def text_of(value: object) -> str:
    """Return a text that can be stored, or the number by which Postal knows a mail; else nothing."""
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or "\0" in value:
        return ""
    with suppress(UnicodeEncodeError):  # half a character: JSON may hold one
        value.encode()
        return value
    return ""


def cause_of(event: AnymailTrackingEvent, service: str) -> str | None:
    """Return for which cause an address gets no more mail; None where it may have the next one."""
    if event.event_type in COMPLAINTS:
        return Cause.COMPLAINED
    if event.event_type not in {EventType.BOUNCED, EventType.REJECTED}:
        return None
    is_of_mailbox = event.reject_reason in OF_THE_MAILBOX or (
        service in WITHOUT_REASON and event.event_type == EventType.BOUNCED
    )
    return Cause.BOUNCED if is_of_mailbox and not will_pass(event.esp_event, service) else None


def will_pass(document: Any, service: str) -> bool:
    """Tell whether a service says that the next mail may arrive."""
    way, words = PASSING.get(service, ((), frozenset()))
    for name in way:
        document = document.get(name) if hasattr(document, "get") else None
    return bool(way) and isinstance(document, Hashable) and document in words
