"""Giving mail that failed for good another try, as an admin does once the fault is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from core import audit
from core.models import Delivery
from core.notifications.fanout import SEND
from core.registry import notification_kinds
from core.tasks import enqueue_on_commit

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from users.models import User

State = Delivery.State

AT_ONCE: Final = 1_000


class SentAgain(NamedTuple):
    """How many were queued anew; how many nobody could write once more; how many are left to ask for."""

    queued: int
    lost: int
    left: int


@transaction.atomic
def send_again(chosen: QuerySet[Delivery], *, by: User) -> SentAgain:
    """Queue the failed ones anew, as their first try: the first thousand, in some queries and by one task.

    What is not true or not wanted any more is dropped when its turn comes, as ever. Mail that a task of its
    own sent is lost: its notice holds nothing. Holds the deliveries.
    """
    failed = Delivery.objects.filter(pk__in=chosen.order_by().values("pk"), state=State.FAILED)
    whole = failed.filter(notice__kind__in=list(notification_kinds.entries)).exclude(notice__data={})
    number, possible = failed.count(), whole.count()
    rows = whole.select_for_update(of=("self",), no_key=True).select_related("notice", "person")
    held = list(rows.order_by("pk")[:AT_ONCE])
    if held:
        Delivery.objects.filter(pk__in=[row.pk for row in held]).update(
            state=State.QUEUED, due_at=timezone.now(), attempts=0, reason=""
        )
        audit.record_all(
            "mail_sent_again", actor=by, targets=[(row.person, {"kind": row.notice.kind}) for row in held]
        )
        enqueue_on_commit(SEND)
    return SentAgain(queued=len(held), lost=number - possible, left=max(0, possible - len(held)))
