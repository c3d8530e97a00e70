"""Reminders: whoever has a seat is told a day before the event, and an hour before; once for each start.

A reminder is named by the start of which it reminds, so it is due anew where the event is moved, and not
again where it is moved back. What an outage has kept is made up for while it makes sense: the long one
until two hours remain, the short one until the start. One of them at a time is due, at most.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.models import Notice
from core.notifications.notices import notify
from events.models import Event
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
    left, start = event.start_at - now, text_of(event.start_at)
    if timedelta(0) < left <= AN_HOUR:
        return Reminder(f"{event.pk} {start} 1h", "1h", event.start_at)
    if TOO_LATE_FOR_A_DAY < left <= A_DAY:
        return Reminder(f"{event.pk} {start} 24h", "24h", event.start_at - TOO_LATE_FOR_A_DAY)
    return None


def reminder_of_day(event: Event, now: datetime) -> Reminder | None:
    """Return the one reminder of an event without a start: from nine on the day before, by its clock."""
    begins = datetime.combine(event.date, time.min, event.zone)
    due = datetime.combine(event.date - timedelta(days=1), MORNING, event.zone)
    if due <= now < begins:
        return Reminder(f"{event.pk} {event.date} {event.timezone} day", "day", begins.astimezone(UTC))
    return None


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
