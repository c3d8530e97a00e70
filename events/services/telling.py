"""Telling people of events and seats: notices, written with what happened, while the event is held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from core.models import Notice
from core.notifications.notices import notify, notify_later
from events.models import EventRegistration

if TYPE_CHECKING:
    from collections.abc import Collection

    from events.models import Event

SEAT: Final = "event_seat"
CHANGE: Final = "event_change"
REMINDER: Final = "event_reminder"
Facts = dict[str, Any]

MAILS_AN_HOUR: Final = 6  # to one person, of what they do themselves with their seat at one event

# What matters to whoever comes. Descriptions may be polished without a mail to everybody, and zones may get
# another name where the clock is the same.
ASPECTS: Final = {
    "title": ("title",),
    "when": ("date", "time", "begins", "start", "end"),
    "place": ("location",),
    "link": ("link",),
}


def facts_of(event: Event) -> Facts:
    """Return what people are told of an event, as notices keep it: it may be gone when they read that."""
    return {
        "id": event.pk,
        "uid": str(event.uid),
        "title": event.title,
        "location": event.location,
        "link": event.register_link,
        "date": f"{event.date}",
        "time": event.time,
        "begins": event.begins().astimezone(event.zone).isoformat(timespec="seconds"),
        "start": event.start_at and text_of(event.start_at),
        "end": event.end_at and text_of(event.end_at),
        "zone": event.timezone,
    }


def begins_in(facts: Facts) -> datetime:
    return datetime.fromisoformat(facts["begins"])


def text_of(moment: datetime) -> str:
    """Return a moment in UTC. Calendars know no parts of a second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def aspects_that_differ(one: Facts, other: Facts) -> list[str]:
    return [name for name, keys in ASPECTS.items() if any(one[key] != other[key] for key in keys)]


def data_of(event: Event, what: str, **more: Any) -> dict[str, Any]:
    """Return a notice's data. Number and moment of its invitation are fixed here: each try sends the same."""
    said_at = timezone.now().isoformat()
    return {"what": what, "event": facts_of(event), "sequence": event.sequence, "said_at": said_at, **more}


def tell(kind: str, subject: str, *, to: Collection[int], data: dict[str, Any], until: datetime) -> None:
    """Tell people (by id), unless there are none, or it is too late already."""
    if to and until > timezone.now():
        notify(kind, subject=subject, data=data, to=to, stale_at=until)


def useful_until(event: Event) -> datetime:
    """Return until when news are of use: until it starts; where it has, or has no start, until its end."""
    start = event.start_at
    return start if start and start > timezone.now() else event.ends()


def tell_confirmed(row: EventRegistration) -> None:
    tell_of_own_act(row.event, row.user_id, data_of(row.event, "confirmed"))


def tell_given_up(event: Event, *, person: int) -> None:
    """Tell somebody that their seat is theirs no more, as they wished, so that their calendar knows.

    ``event.sequence`` has risen by two: one below it lies above whatever they were sent before.
    """
    tell_of_own_act(event, person, data_of(event, "given_up", sequence=event.sequence - 1))


def tell_of_own_act(event: Event, person: int, data: dict[str, Any]) -> None:
    """Tell somebody what they have done with their seat: some times in an hour of the clock.

    Of all that follows one mail is left, which says after the hour how it has ended. The person and the
    event must be held: what is done here is numbered.
    """
    now = timezone.now()
    own = f"{event.pk} {person} {now.astimezone(UTC):%Y-%m-%dT%H}"
    subjects = [f"{own} {number}" for number in range(MAILS_AN_HOUR)]
    said = Notice.objects.filter(kind=SEAT, subject__in=subjects).values_list("subject", flat=True)
    free = sorted(set(subjects) - set(said))
    if free:
        tell(SEAT, free[0], to=[person], data=data, until=useful_until(event))
        return
    # A minute more: whoever acts as the hour ends has committed by then.
    after = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1, minutes=1)
    notify_later(SEAT, subject=f"{own} last", data=data, person=person, at=after, stale_at=event.ends())


def tell_promoted(event: Event, seats: dict[int, int]) -> None:
    """Tell those who have just got a seat: people, by their registrations.

    A registration is promoted once, so the first of them names the notice; who waits anew has another.
    """
    if seats:
        data, subject = data_of(event, "promoted"), f"promoted {min(seats)}"
        tell(SEAT, subject, to=list(seats.values()), data=data, until=useful_until(event))


def tell_changed(event: Event, *, was: Event, but: Collection[int]) -> None:
    """Tell who comes and who waits what has changed, where it matters to them; not ``but`` these.

    Those have got a seat by the same change, and are told that, with what is true now. Where it is over
    by this change alone, a wrong year may be, people are told while it would not be over otherwise.
    """
    before = facts_of(was)
    changed = aspects_that_differ(before, facts_of(event))
    if changed:
        rows = EventRegistration.everything.filter(event=event).exclude(user__in=but)
        data = data_of(event, "changed", changed=changed, before=before)
        until = useful_until(was if event.is_over else event)
        tell(CHANGE, f"{event.pk} changed {event.sequence}", to=people_of(rows), data=data, until=until)


def tell_cancelled(event: Event) -> None:
    """Tell who comes and who waits that an event is deleted, before it is. Calendars know it by the first."""
    for manager, what in (
        (EventRegistration.objects, "cancelled"),
        (EventRegistration.waiting, "cancelled_waiting"),
    ):
        people = people_of(manager.filter(event=event))
        data = data_of(event, what, sequence=event.sequence + 1)
        tell(CHANGE, f"{event.pk} {what}", to=people, data=data, until=useful_until(event))


def people_of(rows: Any) -> list[int]:
    return list(rows.order_by().values_list("user_id", flat=True))
