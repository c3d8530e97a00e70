"""Saying that something happened: one row and one task, in the transaction of what happened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from core.models import Delivery, Notice
from core.notifications.inbox import ring_inboxes
from core.tasks import enqueue_on_commit

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

FAN_OUT: Final = "core.notifications.tasks.fan_out"


def notify(
    kind: str,
    *,
    subject: str,
    data: dict[str, Any],
    to: Collection[int] = (),
    audience: str = "",
    is_mailed: bool = True,
    stale_at: datetime | None = None,
    shown_from: datetime | None = None,
    shown_until: datetime | None = None,
) -> bool:
    """Tell people (by id), or an audience, of something; False where this has been said before.

    Written in the caller's transaction, with the work that follows: both are committed or neither. It
    waits for nobody's row, so it may be called with anything held. A kind and a subject are said once,
    also to people whom the first call did not name.
    """
    notice, is_new = Notice.objects.get_or_create(
        kind=kind,
        subject=subject,
        defaults={
            "data": data,
            "people": sorted(set(to)),
            "audience": audience,
            "is_mailed": is_mailed,
            "stale_at": stale_at,
            "shown_from": shown_from,
            "shown_until": shown_until,
        },
    )
    if is_new:
        enqueue_on_commit(FAN_OUT, notice_id=notice.pk)
    return is_new


def notify_later(
    kind: str, *, subject: str, data: dict[str, Any], person: int, at: datetime, stale_at: datetime
) -> None:
    """Tell somebody (by id) of something: in their inbox at once, by mail later; the last call counts.

    Written in the caller's transaction. The caller holds the person, and calls no more with that subject
    once the moment has come.
    """
    values = {"data": data, "stale_at": stale_at, "fanned_out_at": timezone.now()}
    notice, is_new = Notice.objects.update_or_create(kind=kind, subject=subject, defaults=values)
    if is_new:
        Delivery.objects.create(notice=notice, person_id=person, state=Delivery.State.QUEUED, due_at=at)
    transaction.on_commit(partial(ring_inboxes, [person]))


def mail_too(kind: str, *, subject: str) -> bool:
    """Have a notice that was for the inbox alone mailed as well; False where it is being mailed already."""
    rows = Notice.objects.filter(kind=kind, subject=subject, is_mailed=False)
    for notice in rows.select_for_update(no_key=True):
        fan_out_anew(notice, is_mailed=True)
        return True
    return False


def fan_out_anew(notice: Notice, *, is_mailed: bool) -> None:
    """Have everybody gone through once more, as of a new notice: who has a delivery keeps it.

    Its age counts from here: for how long mail of it is tried, its work looked after, and it is kept. The
    caller holds the notice.
    """
    notice.is_mailed, notice.reached, notice.fanned_out_at = is_mailed, 0, None
    notice.created_at = timezone.now()
    if not notice.audience:
        # Whom it named is forgotten once they have their deliveries.
        notice.people = sorted({*notice.people, *notice.deliveries.values_list("person", flat=True)})
    notice.save(update_fields=["is_mailed", "reached", "people", "fanned_out_at", "created_at"])
    enqueue_on_commit(FAN_OUT, notice_id=notice.pk)
