"""The daily mail: what waited for it and what apps add, once a person and day, by their own clock."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.mail import Letter, Line
from core.models import Delivery, Notice, NotificationSettings
from core.moments import zone_of
from core.notifications.kinds import Kind, Pace, Told, kind_of
from core.notifications.sending import why_not
from core.notifications.troubles import in_trouble
from core.notifications.wishes import wishes_of
from core.registry import daily_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.notifications.wishes import Wishes

KIND: Final = "daily"
BATCH: Final = 200
MOST_LINES: Final = 50
State = Delivery.State
Entry = tuple[str, dict[str, Any]]


def write_daily_mails() -> dict[str, int]:
    """Write the daily mail of everybody whose day has come to its hour, and who has not got it yet.

    Safe to repeat: a person and a day are one notice. What comes after that hour is the next day's, so
    nobody gets theirs at night, and a day that an outage took away is told with the next one.
    """
    written, now = 0, timezone.now()
    for zone, people in people_by_zone():
        day = now.astimezone(zone_of(zone)).date()
        hour = dt.datetime.combine(day, dt.time(settings.DAILY_MAIL_HOUR), zone_of(zone)).astimezone(dt.UTC)
        if now >= hour:
            written += sum(write_for(batch, day, before=hour) for batch in batches(people))
    return {"written": written}


def people_by_zone() -> Iterator[tuple[str, Any]]:
    """Yield each zone in which somebody lives, and who: queries of people, in the order of their ids."""
    rows = NotificationSettings.objects.exclude(time_zone="")
    own = get_user_model().objects.may_enter().order_by("pk")
    yield settings.PROGRAMME_TIME_ZONE, own.exclude(notification_settings__in=rows)
    for zone in rows.order_by("time_zone").values_list("time_zone", flat=True).distinct():
        yield zone, own.filter(notification_settings__time_zone=zone)


def batches(people: Any) -> Iterator[list[int]]:
    last = 0
    while ids := list(people.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


@transaction.atomic
def write_for(people: list[int], day: dt.date, *, before: dt.datetime) -> int:
    """Write the mails of these people for a day; return how many have one. What waited has gone with it.

    Holds the people, so that whoever does the same at this moment, or erases one of them, comes after.
    """
    people = without_mail_of(day, held(people))
    wishes, troubles = wishes_of(people), in_trouble(people)
    people = [one for one in people if one not in troubles]
    waiting = settle_waiting(people, wishes, before)
    found = entries_of(people, waiting, wishes, before)
    notices = [notice_of(person, day, entries) for person, entries in found.items() if entries]
    Notice.objects.bulk_create(notices)
    Delivery.objects.bulk_create(mail_of(notice, wishes[notice.people[0]]) for notice in notices)
    return len(notices)


def held(people: list[int]) -> list[int]:
    """Lock people, in the order of their ids, and return who is there and may enter still."""
    rows = get_user_model().objects.may_enter().filter(pk__in=people).order_by("pk")
    return list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def without_mail_of(day: dt.date, people: list[int]) -> list[int]:
    """Return those who have no mail of that day yet."""
    subjects = {f"{one} {day}": one for one in people}
    written = Notice.objects.filter(kind=KIND, subject__in=subjects).values_list("subject", flat=True)
    return sorted(set(people) - {subjects[subject] for subject in written})


def settle_waiting(people: list[int], wishes: dict[int, Wishes], before: dt.datetime) -> list[Delivery]:
    """Return what has waited since before that moment and goes with the mail now, oldest first.

    Given up is what was switched off, or became stale, while it waited. Holds all of it, and passes over
    what is being marked as read at this moment: the two would wait for each other.
    """
    rows = Delivery.objects.filter(person__in=people, state=State.WAITING, created_at__lt=before)
    rows = rows.select_related("notice", "person").order_by("pk")
    waiting = list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)))
    gone: dict[str, list[int]] = {}
    for row in waiting:
        row.reason = why_left_out(row, wishes[row.person_id])
        gone.setdefault(row.reason, []).append(row.pk)
    for reason, ids in gone.items():
        state = State.DROPPED if reason else State.DIGESTED
        Delivery.objects.filter(pk__in=ids).update(state=state, reason=reason)
    return [row for row in waiting if not row.reason]


def why_left_out(delivery: Delivery, wishes: Wishes) -> str:
    """Return why something that waited is not in the mail after all, or nothing."""
    reason = why_not(delivery, kind_of(delivery.notice.kind), wishes, None)
    return reason or ("" if wants_daily(wishes) else "not wanted")


def entries_of(
    people: list[int], waiting: list[Delivery], wishes: dict[int, Wishes], before: dt.datetime
) -> dict[int, list[Entry]]:
    """Return what there is to tell each person: kinds, and the data of which they make words."""
    entries: dict[int, list[Entry]] = {one: [] for one in people}
    for row in waiting:
        entries[row.person_id].append((row.notice.kind, row.notice.data))
    for parts in daily_parts:
        for one, added in parts(people, before).items():
            entries[one] += [part for part in added if is_wanted(part[0], wishes[one])]
    return entries


def is_wanted(name: str, wishes: Wishes) -> bool:
    kind = kind_of(name)
    return kind is not None and wishes.pace(kind) != Pace.OFF and wants_daily(wishes)


def wants_daily(wishes: Wishes) -> bool:
    return wishes.pace(DAILY) != Pace.OFF


def notice_of(person: int, day: dt.date, entries: list[Entry]) -> Notice:
    data = {"entries": entries[:MOST_LINES], "more": max(0, len(entries) - MOST_LINES)}
    now = timezone.now()
    return Notice(kind=KIND, subject=f"{person} {day}", data=data, people=[person], fanned_out_at=now)


def mail_of(notice: Notice, wishes: Wishes) -> Delivery:
    due_at = wishes.after_quiet(timezone.now())
    return Delivery(
        notice=notice, person_id=notice.people[0], in_inbox=False, state=State.QUEUED, due_at=due_at
    )


def daily_letter(told: Told) -> Letter:
    """Write a daily mail: a line for each thing, with its link."""
    return letter_of([kind.write(one) for kind, one in things_in(told)], told)


def daily_mail(told: Told) -> Letter | None:
    """Write the mail that leaves now, without what is not true any more; None where nothing else is in it."""
    letters = [letter for kind, one in things_in(told) if (letter := kind.letter(one)) is not None]
    return letter_of(letters, told) if letters else None


def things_in(told: Told) -> Iterator[tuple[Kind, Told]]:
    """Yield what a daily mail tells, without kinds that the product no longer has."""
    for name, data in told.data["entries"]:
        kind = kind_of(name)
        if kind is not None:
            yield kind, Told(told.person, data, told.reader)


def letter_of(letters: list[Letter], told: Told) -> Letter:
    lines = [Line(letter.subject, letter.link) for letter in letters]
    if more := told.data.get("more", 0):
        lines.append(Line(ngettext("and %(number)d more", "and %(number)d more", more) % {"number": more}))
    return Letter(
        subject=_("Your day at %(programme)s") % {"programme": settings.PROGRAMME_NAME},
        opening=_("This is what has happened since your last daily mail."),
        lines=tuple(lines),
    )


DAILY: Final = Kind(
    name=KIND,
    label=gettext_lazy("Daily mail"),
    write=daily_letter,
    mail=daily_mail,
    paces=(Pace.NOW, Pace.OFF),
    in_inbox=False,
)
