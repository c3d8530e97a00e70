"""Reminding people of their tasks: on the day before, and on the day, each once however often it is asked.

A notice holds all that is found for a person and a day, so that a hundred tasks that somebody plans for
another are no hundred mails; what is found later in the day goes into two more, at most.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from core.models import Notice
from core.moments import zone_of
from core.notifications.notices import notify
from groups.models import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from groups.models.plan import TaskQuerySet

KIND: Final = "task_due"
MORNING: Final = time(8)
DAY: Final = timedelta(days=1)
PAGE: Final = 200  # people
NOTICES: Final = 3  # of a person, a day, and before or on it
SHOWN: Final = 20  # tasks of a notice, by their names
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


class Reminder(NamedTuple):
    """Which one it is, and until when its mail is worth sending."""

    which: str
    stale_at: datetime


def data_of(due: date, tasks: list[Awaited]) -> dict[str, Any]:
    """Return what a reminder is made of: the ids of all its tasks, and the names of the first twenty."""
    return {
        "due": due.isoformat(),
        "ids": [one.task for one in tasks],
        "tasks": [
            {"id": one.task, "group": one.group, "groupName": one.group_name, "name": one.name}
            for one in tasks[:SHOWN]
        ],
    }


def remind_of_tasks() -> int:
    """Tell people of tasks that are due tomorrow or today; return how many reminders are new.

    From 08:00 to midnight by the assignee's clock, so that an outage delays a reminder within its day and
    never beyond it. A task, a day, a person are reminded of once: a task that is moved there and back, or
    that is given to somebody else and back, is not told again.
    """
    now = timezone.now()
    return sum(remind_of(day, people, now) for day in days_somewhere(now) for people in pages(day))


def days_somewhere(now: datetime) -> list[date]:
    """Return the days on which something may be due that somebody, somewhere, is to be reminded of now."""
    first, last = (now + LAST_ZONE).date(), (now + FIRST_ZONE).date() + DAY
    return [first + n * DAY for n in range((last - first).days + 1)]


def pages(day: date) -> Iterator[list[int]]:
    """Yield the people who have open tasks of a day, by id, some at a time: one query each."""
    last = 0
    due = Task.objects.awaited().filter(due_date=day).order_by("assigned_to")
    people = due.values_list("assigned_to", flat=True).distinct()
    while page := list(people.filter(assigned_to__gt=last)[:PAGE]):
        yield page
        last = page[-1]


def tasks_of(people: Collection[int], day: date) -> list[Awaited]:
    """Return what these people have to do by a day, in the order of their ids, and then of the tasks'."""
    return awaited(
        Task.objects.awaited().filter(assigned_to__in=people, due_date=day).order_by("assigned_to", "pk")
    )


def awaited(tasks: TaskQuerySet) -> list[Awaited]:
    names = ("pk", "name", "due_date", "assigned_to", "milestone__group", "milestone__group__name")
    return [
        Awaited(*row) for row in tasks.values_list(*names, "assigned_to__notification_settings__time_zone")
    ]


@transaction.atomic
def remind_of(day: date, people: list[int], now: datetime) -> int:
    """Tell these people of their tasks of a day, save what they have been told; return how many are told.

    In the order of their ids, as whoever does the same does. Of two at once one writes the notice, having
    seen all before it; what the other alone had found goes into the next one, a run later.
    """
    due: dict[str, tuple[Reminder, list[Awaited]]] = {}
    for person, found in groupby(tasks_of(people, day), key=attrgetter("person")):
        tasks = list(found)
        if it := reminder(tasks[0], now):
            due[f"{person} {day} {it.which}"] = it, tasks
    written = written_for(due)
    return sum(tell(named, it, tasks, written=written.get(named, {})) for named, (it, tasks) in due.items())


def written_for(names: Collection[str]) -> dict[str, dict[int, set[int]]]:
    """Return, for each person and day, which tasks stand in which of the notices. One query."""
    subjects = {f"{named} {n}": (named, n) for named in names for n in range(NOTICES)}
    written: dict[str, dict[int, set[int]]] = {}
    for subject, data in Notice.objects.filter(kind=KIND, subject__in=subjects).values_list(
        "subject", "data"
    ):
        named, n = subjects[subject]
        written.setdefault(named, {})[n] = set(data["ids"])
    return written


def tell(named: str, it: Reminder, tasks: list[Awaited], *, written: dict[int, set[int]]) -> bool:
    """Write the next notice of what has not been told, unless there are three."""
    told = set[int]().union(*written.values())
    fresh, n = [one for one in tasks if one.task not in told], max(written, default=-1) + 1
    if not fresh or n >= NOTICES:
        return False
    one = fresh[0]
    return notify(
        KIND,
        subject=f"{named} {n}",
        data=data_of(one.due, fresh),
        to=[one.person],
        stale_at=it.stale_at,
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


def still_awaited(ids: Collection[int], *, person: int, due: date) -> list[Awaited]:
    """Return these tasks as they are now, without what is done, or not theirs or of that day any more."""
    rows = Task.objects.awaited().filter(pk__in=ids, assigned_to=person, due_date=due)
    return awaited(rows.order_by("pk"))
