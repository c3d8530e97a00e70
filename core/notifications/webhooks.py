"""What the mail service says became of our mail: mailboxes that gave it back, people who complained.

Anymail reads the webhooks of a dozen services and has one way of handing them on, a signal: the only one
that this product listens to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from anymail.signals import EventType, RejectReason, tracking

from core.models import MailTrouble
from core.notifications import troubles

if TYPE_CHECKING:
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


def connect() -> None:
    """Listen; call it in ``AppConfig.ready()``."""
    tracking.connect(receive, dispatch_uid="core.notifications.webhooks")


def receive(event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """Note what a service tells. What this raises is answered 500, and the service tells it again."""
    cause, address, message_id = cause_of(event, esp_name), event.recipient or "", event.message_id or ""
    if cause is not None and address and "\0" not in address + message_id:
        detail = f"{esp_name}: {event.reject_reason or event.event_type}"
        troubles.report(address, cause=cause, message_id=message_id, detail=detail)


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
    return bool(way) and document in words
