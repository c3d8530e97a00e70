"""Reminders: whoever has a seat is told a day before the event, and an hour before; once for each start.

A reminder is named by the moment of which it reminds, so it is due anew where the event is moved, and not
again where it is moved back: only what was dropped meanwhile, and has not left, leaves then. What an outage
has kept is made up for while it makes sense: the long one until two hours remain, the short one until the
start. One of them at a time is due, at most.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.models import Delivery, Notice
from core.notifications.fanout import route_anew
from core.notifications.mails import NOT_TRUE
from core.notifications.notices import notify
from events.models import Event, EventRegistration
from events.services.holding import hold_events
from events.services.telling import REMINDER, data_of, people_of, text_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

A_DAY: Final = timedelta(hours=24)
TOO_LATE_FOR_A_DAY: Final = timedelta(hours=2)
AN_HOUR: Final = timedelta(hours=1)
MORNING: Final = time(9)  # of the day before, for what takes the whole day


class Reminder(NamedTuple):
    """A reminder that is due: what it is called, and from when on it would be too late."""

    subject: str
    what: str
    stale_at: datetime


def remind() -> int:
    """Write the reminders that are due and not written yet; return how many."""
    now = timezone.now()
    due = {found.subject: event.pk for event in near(now) if (found := reminder_of(event, now))}
    written = Notice.objects.filter(kind=REMINDER, subject__in=due).values_list("subject", flat=True)
    take_up({subject: due[subject] for subject in written})
    return sum(remind_of(due[subject]) for subject in sorted(due.keys() - set(written)))


def near(now: datetime) -> QuerySet[Event]:
    """Return the events of which a reminder may be due; days are told apart by their zones later."""
    today = now.astimezone(UTC).date()
    starts = Q(start_at__gt=now, start_at__lte=now + A_DAY)
    days = Q(start_at=None, date__gte=today, date__lte=today + timedelta(days=2))
    return Event.objects.filter(starts | days).order_by("pk")


def reminder_of(event: Event, now: datetime) -> Reminder | None:
    """Return the reminder of an event that is due, if one is."""
    if event.start_at is None:
        return reminder_of_day(event, now)
    left = event.start_at - now
    if timedelta(0) < left <= AN_HOUR:
        return Reminder(subject_of(event, "1h"), "1h", event.start_at)
    if TOO_LATE_FOR_A_DAY < left <= A_DAY:
        return Reminder(subject_of(event, "24h"), "24h", event.start_at - TOO_LATE_FOR_A_DAY)
    return None


def reminder_of_day(event: Event, now: datetime) -> Reminder | None:
    """Return the one reminder of an event without a start: from nine on the day before, by its clock."""
    begins = event.begins()
    due = datetime.combine(event.date - timedelta(days=1), MORNING, event.zone)
    if due <= now < begins:
        return Reminder(subject_of(event, "day"), "day", begins.astimezone(UTC))
    return None


def subject_of(event: Event, what: str) -> str:
    return f"{event.pk} {text_of(event.begins())} {what}"


def take_up(written: dict[str, int]) -> None:
    """Have reminders mailed after all that were dropped while their event (by id) stood elsewhere.

    To whom they were written, and who has kept the seat: others were dropped for good.
    """
    rows = Delivery.objects.filter(state=Delivery.State.DROPPED, reason=NOT_TRUE, notice__kind=REMINDER)
    lost = list(rows.filter(notice__subject__in=written).select_related("notice"))
    if not lost:
        return
    seats = EventRegistration.objects.filter(
        event__in=written.values(), user__in={row.person_id for row in lost}
    )
    since = {(row.event_id, row.user_id): row.registered_at for row in seats}
    true = [
        row.pk
        for row in lost
        if (at := since.get((written[row.notice.subject], row.person_id))) and at <= row.notice.created_at
    ]
    if true:
        route_anew(Delivery.objects.filter(pk__in=true, reason=NOT_TRUE))


@transaction.atomic
def remind_of(event_id: int) -> bool:
    """Write a reminder to those who have a seat now; False where it is written, or not due any more.

    Holds the event, so that it is not moved meanwhile. Where nobody has a seat it is written too: who
    gets one later has just been told when it begins.
    """
    for event in hold_events([event_id]):
        found = reminder_of(event, timezone.now())
        if found:
            return notify(
                REMINDER,
                subject=found.subject,
                data=data_of(event, found.what),
                to=people_of(event.registrations),
                stale_at=found.stale_at,
            )
    return False
