"""Saying that something happened: one row and one task, in the transaction of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.models import Notice
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
        },
    )
    if is_new:
        enqueue_on_commit(FAN_OUT, notice_id=notice.pk)
    return is_new


def mail_too(kind: str, *, subject: str) -> bool:
    """Have a notice that was for the inbox alone mailed as well; False where it is being mailed already."""
    rows = Notice.objects.filter(kind=kind, subject=subject, is_mailed=False)
    for notice in rows.select_for_update(no_key=True):
        notice.is_mailed, notice.reached, notice.fanned_out_at = True, 0, None
        notice.save(update_fields=["is_mailed", "reached", "fanned_out_at"])
        enqueue_on_commit(FAN_OUT, notice_id=notice.pk)
        return True
    return False
