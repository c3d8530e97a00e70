"""The daily mail: what waited for it and what apps add, once a person and day, by their own clock.

It copies nothing of other notices: it carries their deliveries, and is put into words when it leaves, of what
is true then. What becomes of it becomes of them (``carried``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.mail import Letter, Line
from core.models import Delivery, Notice, NotificationSettings
from core.moments import zone_of
from core.notifications.carried import carried_by, drop
from core.notifications.kinds import Kind, Pace, Told, kind_of
from core.notifications.mails import NOT_TRUE, why_not
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
Part = tuple[str, dict[str, Any]]


def write_daily_mails() -> dict[str, int]:
    """Write the daily mail of everybody whose day has come to its hour, and who has not got it yet.

    Safe to repeat: a person and a day are one notice. What comes after that hour is the next day's, so
    nobody gets theirs at night, and a day that an outage took away is told with the next one.
    """
    written, now = 0, timezone.now()
    for zone, people in people_by_zone():
        day = now.astimezone(zone_of(zone)).date()
        hour = dt.datetime.combine(day, dt.time(settings.DAILY_MAIL_HOUR), zone_of(zone))
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
    """Write the mails of these people for a day; return how many have one. What waited goes along.

    Holds the people, so that whoever does the same at this moment, or erases one of them, comes after.
    """
    people = without_mail_of(day, held(people))
    wishes, troubles = wishes_of(people), in_trouble(people)
    people = [one for one in people if one not in troubles]
    waiting = waiting_for(people, wishes, before)
    parts = parts_of(people, wishes, before)
    carriers = {row.person_id for row in waiting}
    told = [one for one in people if parts[one] or one in carriers]
    notices = Notice.objects.bulk_create(notice_of(one, day, parts[one]) for one in told)
    mails = Delivery.objects.bulk_create(
        mail_of(notice, one, wishes[one]) for one, notice in zip(told, notices, strict=True)
    )
    carry(waiting, mails)
    return len(mails)


def held(people: list[int]) -> list[int]:
    """Lock people, in the order of their ids, and return who is there and may enter still."""
    rows = get_user_model().objects.may_enter().filter(pk__in=people).order_by("pk")
    return list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def without_mail_of(day: dt.date, people: list[int]) -> list[int]:
    """Return those who have no mail of that day yet."""
    subjects = {f"{one} {day}": one for one in people}
    written = Notice.objects.filter(kind=KIND, subject__in=subjects).values_list("subject", flat=True)
    return sorted(set(people) - {subjects[subject] for subject in written})


def waiting_for(people: list[int], wishes: dict[int, Wishes], before: dt.datetime) -> list[Delivery]:
    """Return what has waited since before that moment and goes with the mail now, oldest first.

    Not what a mail carries that is to leave yet. Given up is what was switched off, or became stale, while
    it waited. Holds all of it, and passes over what is being marked as read at this moment: the two would
    wait for each other.
    """
    rows = Delivery.objects.filter(person__in=people, state=State.WAITING, created_at__lt=before)
    rows = rows.exclude(carried_by__state=State.QUEUED)
    rows = rows.select_related("notice", "person").order_by("pk")
    waiting = list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)))
    gone: dict[str, list[int]] = {}
    for row in waiting:
        if reason := why_left_out(row, wishes[row.person_id]):
            gone.setdefault(reason, []).append(row.pk)
    drop(gone)
    left_out = {pk for ids in gone.values() for pk in ids}
    return [row for row in waiting if row.pk not in left_out]


def carry(waiting: list[Delivery], mails: list[Delivery]) -> None:
    """Have each of what waited go with the mail of its person. One query."""
    mail = Delivery.objects.filter(pk__in=[one.pk for one in mails], person=OuterRef("person"))
    rows = Delivery.objects.filter(pk__in=[row.pk for row in waiting])
    rows.update(carried_by=Subquery(mail.values("pk")[:1]))


def why_left_out(delivery: Delivery, wishes: Wishes) -> str:
    """Return why something that waited is not in the mail after all, or nothing."""
    reason = why_not(delivery, kind_of(delivery.notice.kind), wishes, None)
    return reason or ("" if wants_daily(wishes) else "not wanted")


def parts_of(people: list[int], wishes: dict[int, Wishes], before: dt.datetime) -> dict[int, list[Part]]:
    """Return what apps add to each person's mail: kinds, and the data of which they make words."""
    found: dict[int, list[Part]] = {one: [] for one in people}
    for parts in daily_parts:
        for one, added in parts(people, before).items():
            found[one] += [part for part in added if is_wanted(part[0], wishes[one])]
    return found


def is_wanted(name: str, wishes: Wishes) -> bool:
    kind = kind_of(name)
    return kind is not None and wishes.pace(kind) != Pace.OFF and wants_daily(wishes)


def wants_daily(wishes: Wishes) -> bool:
    return wishes.pace(DAILY) != Pace.OFF


def notice_of(person: int, day: dt.date, parts: list[Part]) -> Notice:
    data = {"parts": parts[:MOST_LINES], "more": max(0, len(parts) - MOST_LINES)}
    return Notice(kind=KIND, subject=f"{person} {day}", data=data, fanned_out_at=timezone.now())


def mail_of(notice: Notice, person: int, wishes: Wishes) -> Delivery:
    due_at = wishes.after_quiet(timezone.now())
    return Delivery(notice=notice, person_id=person, in_inbox=False, state=State.QUEUED, due_at=due_at)


class Lines:
    """The lines of a mail: fifty letters, and how many more, of which nobody asks whether they are true."""

    def __init__(self, *, more: int = 0) -> None:
        self.letters: list[Letter] = []
        self.more = more

    def add(self, kind: Kind, told: Told) -> bool:
        """Add what is told; False where it is not true any more."""
        if len(self.letters) == MOST_LINES:
            self.more += 1
            return True
        letter = kind.letter(told)
        if letter is not None:
            self.letters.append(letter)
        return letter is not None


def daily_letter(told: Told) -> Letter:
    """Say of a daily mail what its notice alone knows: what apps have added to it."""
    return letter_of([kind.write(one) for kind, one in parts_in(told)], told.data["more"])


def daily_mail(told: Told) -> Letter | None:
    """Write the mail that leaves now: a line for each thing that is true and wanted now; None where none is.

    Of what it carries, the rest is dropped.
    """
    wishes = wishes_of([told.person.pk])[told.person.pk]
    lines = Lines(more=told.data["more"])
    drop(add_carried(lines, told, wishes))
    for kind, one in parts_in(told):
        if is_wanted(kind.name, wishes):
            lines.add(kind, one)
    return letter_of(lines.letters, lines.more) if lines.letters else None


def add_carried(lines: Lines, told: Told, wishes: Wishes) -> dict[str, list[int]]:
    """Add what a mail carries; return, by the reason, what is left out."""
    gone: dict[str, list[int]] = {}
    for row in carried_by(told.delivery_id).select_related("notice", "person"):
        kind = kind_of(row.notice.kind)
        reason = why_not(row, kind, wishes, None)
        one = replace(told, data=row.notice.data, delivery_id=row.pk)
        if kind is not None and not reason and not lines.add(kind, one):
            reason = NOT_TRUE
        if reason:
            gone.setdefault(reason, []).append(row.pk)
    return gone


def parts_in(told: Told) -> Iterator[tuple[Kind, Told]]:
    """Yield what apps have added to a daily mail, without kinds that the product no longer has."""
    for name, data in told.data["parts"]:
        kind = kind_of(name)
        if kind is not None:
            yield kind, Told(told.person, data, told.reader)


def letter_of(letters: list[Letter], more: int) -> Letter:
    lines = [Line(letter.subject, letter.link) for letter in letters]
    if more:
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
    carries_others=True,
)
