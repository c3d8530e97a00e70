"""From a notice to its deliveries: some hundred people a transaction, going on where the last one stopped."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from core.audience import people_for
from core.models import Delivery, Notice
from core.notifications.inbox import ring_inboxes
from core.notifications.kinds import Pace, kind_of
from core.notifications.wishes import wishes_of
from core.tasks import enqueue_on_commit

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from core.notifications.kinds import Kind
    from core.notifications.wishes import Wishes

BATCH: Final = 200
LOOKED_AFTER: Final = timedelta(days=3)  # what nobody could be told of for so long is not taken up again
MOST_RESUMED: Final = 100
ANOTHER_RELEASE: Final = timedelta(days=1)
SEND: Final = "core.notifications.tasks.send_mail"
State = Delivery.State


@transaction.atomic
def fan_out_next(*, notice_id: int) -> bool:
    """Write the deliveries of the next people; False when everybody has theirs. Holds the notice."""
    notice = Notice.objects.select_for_update(no_key=True).filter(pk=notice_id, fanned_out_at=None).first()
    if notice is None:
        return False
    kind = kind_of(notice.kind)
    if kind is None:
        # A worker of the next release may know how to tell of it; after a while nobody does.
        if notice.created_at < timezone.now() - ANOTHER_RELEASE:
            finish(notice)
        return False
    asked, people = next_people(notice, kind)
    deliver(notice, kind, people)
    if asked:
        notice.reached = asked[-1]
    if len(asked) == BATCH:
        notice.save(update_fields=["reached"])
        return True
    if notice.people and not people and not notice.deliveries.exists():
        notice.delete()  # none of whom it named is there any more, or may be told: it was never said
    else:
        finish(notice)
    return False


def finish(notice: Notice) -> None:
    """Forget whom a notice named: its deliveries say it, and go with the people."""
    notice.people, notice.fanned_out_at = [], timezone.now()
    notice.save(update_fields=["reached", "people", "fanned_out_at"])


def next_people(notice: Notice, kind: Kind) -> tuple[list[int], list[int]]:
    """Return whom the notice comes to next, by id, and who of them can be told."""
    everybody: Any = get_user_model().objects
    if notice.audience:
        rows = people_for(notice.audience).filter(pk__gt=notice.reached).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:BATCH])
        return ids, ids
    asked = sorted(one for one in notice.people if one > notice.reached)[:BATCH]
    rows = everybody.filter(pk__in=asked)
    told = rows if kind.reaches_suspended else rows.may_enter()
    return asked, list(told.order_by("pk").values_list("pk", flat=True))


def deliver(notice: Notice, kind: Kind, people: list[int]) -> None:
    """Write what each of them gets, and when; who has theirs keeps it, though it may be mailed now."""
    wishes = wishes_of(people)
    rows = [new_delivery(notice, kind, one, wishes[one]) for one in people]
    mail_what_is_there(notice, rows)
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.state == State.QUEUED for row in rows):
        enqueue_on_commit(SEND)
    if kind.in_inbox:
        transaction.on_commit(partial(ring_inboxes, people))


def mail_what_is_there(notice: Notice, rows: list[Delivery]) -> None:
    """Have the deliveries mailed that were made for the inbox alone, before the notice was to be mailed."""
    wanted = {row.person_id: row for row in rows if row.state != State.NONE}
    there = list(Delivery.objects.filter(notice=notice, person__in=wanted, state=State.NONE))
    for row in there:
        row.state, row.due_at = wanted[row.person_id].state, wanted[row.person_id].due_at
    Delivery.objects.bulk_update(there, ["state", "due_at"])


def new_delivery(notice: Notice, kind: Kind, person: int, wishes: Wishes) -> Delivery:
    state, due_at = route(notice, kind, wishes, now=timezone.now())
    return Delivery(
        notice=notice,
        person_id=person,
        in_inbox=kind.in_inbox,
        state=state,
        due_at=due_at,
        priority=kind.priority,
    )


def route(notice: Notice, kind: Kind, wishes: Wishes, *, now: datetime) -> tuple[str, datetime | None]:
    """Return the state of somebody's mail, and when it is due: now, after quiet hours, or never.

    What is pressing leaves now where it would be too late after them.
    """
    pace = wishes.pace(kind)
    if not (kind.by_mail and notice.is_mailed) or pace == Pace.OFF:
        return State.NONE, None
    if pace == Pace.DAILY:
        return State.WAITING, None
    due = now if kind.is_mandatory else wishes.after_quiet(now)
    if kind.is_pressing and is_stale(notice, at=due):
        due = now
    return (State.NONE, None) if is_stale(notice, at=due) else (State.QUEUED, due)


def is_stale(notice: Notice, *, at: datetime) -> bool:
    return notice.stale_at is not None and at >= notice.stale_at


@transaction.atomic
def route_anew(dropped: QuerySet[Delivery]) -> None:
    """Have mail sent after all that was dropped, and is true again. Holds these deliveries."""
    rows = dropped.filter(state=State.DROPPED).select_related("notice").order_by("pk")
    found = list(rows.select_for_update(of=("self",), no_key=True))
    wishes, now = wishes_of([row.person_id for row in found]), timezone.now()
    for row in found:
        kind = kind_of(row.notice.kind)
        if kind is not None:
            row.state, row.due_at = route(row.notice, kind, wishes[row.person_id], now=now)
            row.reason = ""
    Delivery.objects.bulk_update(found, ["state", "due_at", "reason"])
    if any(row.state == State.QUEUED for row in found):
        enqueue_on_commit(SEND)


def unfinished(*, older_than: timedelta) -> list[int]:
    """Return the notices whose fan-out seems to have been lost, as with a server that was stopped."""
    before = timezone.now() - older_than
    rows = Notice.objects.filter(fanned_out_at=None, created_at__range=(before - LOOKED_AFTER, before))
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:MOST_RESUMED])
