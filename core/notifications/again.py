"""Giving a mail that failed for good another try, as an admin does once the fault is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from core import audit
from core.models import Delivery
from core.notifications.fanout import SEND
from core.notifications.kinds import kind_of
from core.refusals import Refused
from core.tasks import enqueue_on_commit

if TYPE_CHECKING:
    from users.models import User

State = Delivery.State


class WordsGone(Refused):
    """Nobody could write this mail once more (400)."""

    code = "words_gone"
    sentence = "What this mail said is not kept, such as a link to sign in: the person can ask for a new one."


@transaction.atomic
def send_again(delivery: int, *, by: User) -> bool:
    """Queue a failed mail (by id) anew, as its first try; False where it is not failed (any more).

    What is not true or not wanted any more is dropped when its turn comes, as ever. Raises WordsGone (400)
    for mail that a task of its own sent: its notice holds nothing. Holds the delivery.
    """
    rows = Delivery.objects.select_for_update(of=("self",), no_key=True).select_related("notice", "person")
    row = rows.filter(pk=delivery, state=State.FAILED).first()
    if row is None:
        return False
    if kind_of(row.notice.kind) is None or not row.notice.data:
        raise WordsGone
    row.state, row.due_at, row.attempts, row.reason = State.QUEUED, timezone.now(), 0, ""
    row.save(update_fields=["state", "due_at", "attempts", "reason"])
    audit.record("mail_sent_again", actor=by, target=row.person, changes={"kind": row.notice.kind})
    enqueue_on_commit(SEND)
    return True
