"""Opening what was said to an admin who says why: the admin site shows it in no other way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction

from chat.models import Message, TextOpening
from core import audit
from core.refusals import Forbidden, Missing, Refused
from users.services.holding import acting

if TYPE_CHECKING:
    from chat.models import MessageReport
    from users.models import User

AROUND: Final = 5  # messages before it, and as many after it


class ReasonMissing(Refused):
    """No reason, or none that says anything (400)."""

    code = "validation_error"
    sentence = f"Say why in {TextOpening.MIN_REASON} to {TextOpening.MAX_REASON} characters."


class Opened(NamedTuple):
    """A message with its neighbours in the conversation, in order, and what was reported of it."""

    message: Message
    conversation: list[Message]
    reports: list[MessageReport]


@transaction.atomic
def open_text(message_id: int, *, by: User, reason: str) -> Opened:
    """Write down who opens a message and why, and return it with up to five before and five after it.

    Removed and rejected ones too: moderators judge those. Raises Forbidden (403) where somebody is no
    platform admin, ReasonMissing (400), Missing (404), and what ``acting`` raises. Holds who acts.
    """
    by = acting(by)
    if not by.is_platform_admin:
        raise Forbidden
    reason = " ".join(reason.split())
    if not TextOpening.MIN_REASON <= len(reason) <= TextOpening.MAX_REASON:
        raise ReasonMissing(field="reason")
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Missing
    group_id = message.group_id
    TextOpening.objects.create(actor_id=by.pk, message_id=message.pk, group_id=group_id, reason=reason)
    audit.record("chat_text_opened", actor=by, target=message, changes={"group": group_id})
    reports = message.reports.for_moderator(by).select_related("reporter").order_by("created_at", "pk")
    return Opened(message, around(message), list(reports))


def around(message: Message) -> list[Message]:
    """Return a message among its neighbours, in the order of the conversation. Three queries, and files."""
    rows = Message.objects.filter(group=message.group_id).with_details()
    before = list(rows.filter(seq__lt=message.seq).order_by("-seq")[:AROUND])
    others = rows.filter(seq__gte=message.seq).order_by("seq")[: AROUND + 1]
    return [*reversed(before), *others]
