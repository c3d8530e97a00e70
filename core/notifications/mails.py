"""A delivery's mail: whether it is to leave, and what it says at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.mail import Envelope, compose
from core.notifications.kinds import Pace, Told
from core.notifications.unsubscribe import unsubscribe_link

if TYPE_CHECKING:
    from django.core.mail import EmailMultiAlternatives

    from core.models import Delivery, MailTrouble
    from core.notifications.kinds import Kind
    from core.notifications.wishes import Wishes

NOT_TRUE: Final = "not true any more"


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
        letter = kind.letter(Told(delivery.person, delivery.notice.data, reader, delivery.pk))
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
