"""Telling moderators of a message, and settling what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from chat.access import access_conversation
from chat.models import MessageReport
from core import audit
from core.preconditions import confirm
from core.refusals import Forbidden, Missing, Refused
from groups.access import can_moderate
from users.services.holding import acting

if TYPE_CHECKING:
    from chat.models import Message
    from users.models import User


class OwnMessage(Refused):
    """Somebody reports what they said themselves (400)."""

    code = "own_message"
    sentence = "This is your own message. You can remove it."


@transaction.atomic
def report_message(
    message: Message, *, by: User, category: str, note: str = ""
) -> tuple[MessageReport, bool]:
    """Tell the moderators of a message, once a person; returns the report and whether it is new.

    Raises OwnMessage (400), Outside (403), Missing (404), and what ``acting`` raises. Holds the person.
    """
    by = acting(by)
    access_conversation(by, message.group_id)
    if message.author_id == by.pk:
        raise OwnMessage
    values = {"category": category, "note": note, "reported_text": message.text}
    report, is_new = MessageReport.objects.get_or_create(message=message, reporter=by, defaults=values)
    if is_new:
        # Without an actor: who told of somebody is for platform admins alone, and not in the log.
        audit.record("message_reported", target=report, changes={"category": category})
    return report, is_new


@transaction.atomic
def settle_report(report: MessageReport, *, by: User, resolved: bool) -> MessageReport:
    """Close a report, or open it again. Raises Forbidden (403) and Missing (404). Holds the report."""
    by = acting(by)
    # An admin settles reports of archived groups, too.
    if not (by.is_platform_admin or can_moderate(by, access_conversation(by, report.message.group_id))):
        raise Forbidden
    rows = MessageReport.objects.for_moderator(by).select_for_update(of=("self",)).with_details()
    held = rows.filter(pk=report.pk).first()
    if held is None:
        raise Missing
    confirm()
    if resolved != (held.resolved_at is not None):
        held.resolved_at, held.resolved_by = (timezone.now(), by) if resolved else (None, None)
        held.save(update_fields=["resolved_at", "resolved_by"])
        audit.record("report_settled", actor=by, target=held, changes={"resolved": resolved})
    return held
