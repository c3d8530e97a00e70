"""Reminding people of their tasks: on the day before, and on the day, each once however often it is asked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from core.models import Notice
from core.moments import zone_of
from core.notifications.notices import notify
from groups.models import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groups.models.plan import TaskQuerySet

KIND: Final = "task_due"
MORNING: Final = time(8)
DAY: Final = timedelta(days=1)
PAGE: Final = 500
# The first and the last place on earth to begin a day.
LAST_ZONE, FIRST_ZONE = timedelta(hours=-12), timedelta(hours=14)


class Awaited(NamedTuple):
    """An open task, and by whose clock it is due."""

    task: int
    name: str
    due: date
    person: int
    group: str
    group_name: str
    zone: str | None

    @property
    def data(self) -> dict[str, Any]:
        """What a reminder is made of."""
        return {
            "task": self.task,
            "name": self.name,
            "due": self.due.isoformat(),
            "group": self.group,
            "group_name": self.group_name,
        }


class Reminder(NamedTuple):
    """Which one it is, and until when its mail is worth sending."""

    which: str
    stale_at: datetime


def remind_of_tasks() -> int:
    """Tell people of tasks that are due tomorrow or today; return how many reminders are new.

    From 08:00 to midnight by the assignee's clock, so that an outage delays a reminder within its day and
    never beyond it. A task, a day, a person are reminded of once: a task that is moved there and back, or
    that is given to somebody else and back, is not told again.
    """
    now = timezone.now()
    return sum(remind_of(page, now) for day in days_somewhere(now) for page in pages(day))


def days_somewhere(now: datetime) -> list[date]:
    """Return the days on which something may be due that somebody, somewhere, is to be reminded of now."""
    first, last = (now + LAST_ZONE).date(), (now + FIRST_ZONE).date() + DAY
    return [first + n * DAY for n in range((last - first).days + 1)]


def pages(day: date) -> Iterator[list[Awaited]]:
    """Yield the open tasks of a day, some at a time: one query each."""
    last = 0
    while page := awaited(Task.objects.awaited().filter(due_date=day, pk__gt=last).order_by("pk")[:PAGE]):
        yield page
        last = page[-1].task


def awaited(tasks: TaskQuerySet) -> list[Awaited]:
    names = ("pk", "name", "due_date", "assigned_to", "milestone__group", "milestone__group__name")
    return [
        Awaited(*row) for row in tasks.values_list(*names, "assigned_to__notification_settings__time_zone")
    ]


@transaction.atomic
def remind_of(page: list[Awaited], now: datetime) -> int:
    """Tell of tasks, save what has been told: in the order of their ids, as whoever does the same does."""
    due = {
        f"{one.task} {one.due} {one.person} {it.which}": (one, it)
        for one in page
        if (it := reminder(one, now))
    }
    told = set(Notice.objects.filter(kind=KIND, subject__in=due).values_list("subject", flat=True))
    return sum(
        notify(KIND, subject=subject, data=one.data, to=[one.person], stale_at=it.stale_at)
        for subject, (one, it) in due.items()
        if subject not in told
    )


def reminder(one: Awaited, now: datetime) -> Reminder | None:
    """Return the reminder that is due now, by the clock of whose task it is."""
    zone = zone_of(one.zone or "")
    local = now.astimezone(zone)
    if local.time() < MORNING:
        return None
    if local.date() == one.due:
        return Reminder("on", datetime.combine(one.due + DAY, time(0), zone))
    if local.date() == one.due - DAY:
        # Then comes the other one.
        return Reminder("before", datetime.combine(one.due, MORNING, zone))
    return None


def still_awaited(task: int, *, person: int, due: date) -> Awaited | None:
    """Return a task as it is now; None where it is done, or not theirs, or not of that day, any more."""
    return next(iter(awaited(Task.objects.awaited().filter(pk=task, assigned_to=person, due_date=due))), None)
