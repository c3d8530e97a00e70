"""Telling people of events and seats: notices, written with what happened, while the event is held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from core.notifications.notices import notify
from events.models import EventRegistration

if TYPE_CHECKING:
    from collections.abc import Collection

    from events.models import Event

SEAT: Final = "event_seat"
CHANGE: Final = "event_change"
REMINDER: Final = "event_reminder"
Facts = dict[str, Any]

# What matters to whoever comes. Descriptions may be polished without a mail to everybody.
ASPECTS: Final = {
    "title": ("title",),
    "when": ("date", "time", "start", "end", "zone"),
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
        "start": event.start_at and text_of(event.start_at),
        "end": event.end_at and text_of(event.end_at),
        "zone": event.timezone,
    }


def text_of(moment: datetime) -> str:
    """Return a moment in UTC. Calendars know no parts of a second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def aspects_that_differ(one: Facts, other: Facts) -> list[str]:
    return [name for name, keys in ASPECTS.items() if any(one[key] != other[key] for key in keys)]


def data_of(event: Event, what: str, **more: Any) -> dict[str, Any]:
    """Return a notice's data. Number and moment of its invitation are fixed here: each try sends the same."""
    said_at = timezone.now().isoformat()
    return {"what": what, "event": facts_of(event), "sequence": event.sequence, "said_at": said_at, **more}


def tell(kind: str, event: Event, subject: str, *, to: Collection[int], data: dict[str, Any]) -> None:
    """Tell people (by id), unless there are none, or the event is over."""
    if to and not event.is_over:
        notify(kind, subject=subject, data=data, to=to, stale_at=event.ends())


def tell_confirmed(row: EventRegistration) -> None:
    event = row.event
    tell(SEAT, event, f"confirmed {row.pk}", to=[row.user_id], data=data_of(event, "confirmed"))


def tell_promoted(event: Event, seats: dict[int, int]) -> None:
    """Tell those who have just got a seat: people, by their registrations.

    A registration is promoted once, so the first of them names the notice; who waits anew has another.
    """
    if seats:
        data = data_of(event, "promoted")
        tell(SEAT, event, f"promoted {min(seats)}", to=list(seats.values()), data=data)


def tell_given_up(event: Event, *, registration: int, person: int) -> None:
    """Tell somebody that their seat is theirs no more, as they wished, so that their calendar knows.

    ``event.sequence`` has risen by two: one below it lies above whatever they were sent before.
    """
    data = data_of(event, "given_up", sequence=event.sequence - 1)
    tell(SEAT, event, f"given up {registration}", to=[person], data=data)


def tell_changed(event: Event, *, before: Facts, but: Collection[int]) -> None:
    """Tell who comes and who waits what has changed, where it matters to them; not ``but`` these.

    Those have got a seat by the same change, and are told that, with what is true now.
    """
    changed = aspects_that_differ(before, facts_of(event))
    if changed:
        rows = EventRegistration.everything.filter(event=event).exclude(user__in=but)
        data = data_of(event, "changed", changed=changed, before=before)
        tell(CHANGE, event, f"{event.pk} changed {event.sequence}", to=people_of(rows), data=data)


def tell_cancelled(event: Event) -> None:
    """Tell who comes and who waits that an event is deleted, before it is. Calendars know it by the first."""
    for manager, what in (
        (EventRegistration.objects, "cancelled"),
        (EventRegistration.waiting, "cancelled_waiting"),
    ):
        people = people_of(manager.filter(event=event))
        data = data_of(event, what, sequence=event.sequence + 1)
        tell(CHANGE, event, f"{event.pk} {what}", to=people, data=data)


def people_of(rows: Any) -> list[int]:
    return list(rows.order_by().values_list("user_id", flat=True))
