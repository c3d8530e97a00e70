"""Seats: taken, given up, and passed on to whoever waits longest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from core import audit
from core.refusals import Refused
from events.models import Event, EventRegistration
from events.services.holding import hold_event, hold_events
from events.services.telling import tell_confirmed, tell_given_up, tell_promoted
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet


class AlreadyRegistered(Refused):
    """The person has a seat (400)."""

    code = "already_registered"
    sentence = "You are registered for this event already."


class AlreadyWaiting(Refused):
    """The person stands on the waiting list (400)."""

    code = "already_waiting"
    sentence = "You are on the waiting list already."


class EventOver(Refused):
    """The event is over, by the clock of its own zone (400)."""

    code = "event_over"
    sentence = "This event is over."


class EventFull(Refused):
    """Every seat is taken (409)."""

    status = 409
    code = "event_full"
    sentence = "This event is full. You can join the waiting list."


class SeatsFree(Refused):
    """There is nothing to wait for (409)."""

    status = 409
    code = "seats_free"
    sentence = "There are free seats: register instead."


def take_seat(event_id: int, *, by: User) -> None:
    """Give somebody a seat, which those who wait longer come before.

    Raises AlreadyRegistered and EventOver (400), EventFull (409), and what ``hold_event`` raises.
    """
    # Raised outside of the transaction: whom it has helped on to a seat keeps it.
    if not could_take_seat(event_id, by=by):
        raise EventFull


@transaction.atomic
def could_take_seat(event_id: int, *, by: User) -> bool:
    """Do as ``take_seat`` says, and tell whether there was a seat. Holds who registers, then the event."""
    event, by = hold_event(event_id, by=by)
    own = event.registrations.filter(user=by)
    if own.exists():
        raise AlreadyRegistered
    check_open(event)
    if by.pk in fill(event):
        return True
    if free_seats(event) == 0:
        return False
    tell_confirmed(EventRegistration.objects.create(event=event, user=by))
    return True


@transaction.atomic
def give_up_seat(event_id: int, *, by: User) -> None:
    """Free somebody's seat for whoever waits longest; nothing happens where they have none.

    Raises EventOver (400): who came to an event stays written down. Holds the person, then the event.
    """
    event, by = hold_event(event_id, by=by)
    check_open(event)
    for row in event.registrations.filter(user=by):
        row.delete()
        # Above what the person was sent lies the number of the cancellation, above it what comes later.
        event.sequence += 2
        event.save(update_fields=["sequence"])
        tell_given_up(event, person=by.pk)
    fill(event)


def join_waitlist(event_id: int, *, by: User) -> None:
    """Put somebody at the end of the waiting list.

    Raises AlreadyRegistered, AlreadyWaiting and EventOver (400), SeatsFree (409), and what ``hold_event``
    raises.
    """
    if not could_wait(event_id, by=by):
        raise SeatsFree


@transaction.atomic
def could_wait(event_id: int, *, by: User) -> bool:
    """Do as ``join_waitlist`` says, and tell whether it was full. Holds the person, then the event."""
    event, by = hold_event(event_id, by=by)
    check_open(event)
    fill(event)
    own = EventRegistration.everything.filter(event=event, user=by).first()
    if own is not None:
        raise AlreadyWaiting if own.waiting_since else AlreadyRegistered
    if free_seats(event) != 0:
        return False
    EventRegistration.everything.create(event=event, user=by, waiting_since=timezone.now())
    return True


@transaction.atomic
def leave_waitlist(event_id: int, *, by: User) -> None:
    """Take somebody off the waiting list; nothing happens where they are not on it.

    Holds the person, then the event.
    """
    event, by = hold_event(event_id, by=by)
    EventRegistration.waiting.filter(event=event, user=by).delete()


def check_open(event: Event) -> None:
    """Raise EventOver (400) where nobody can come any more."""
    if event.is_over:
        raise EventOver


def free_seats(event: Event) -> int | None:
    """Return how many seats are free; None where there is no limit. The event must be held."""
    if event.capacity is None:
        return None
    return max(0, event.capacity - event.registrations.count())


def fill(event: Event) -> list[int]:
    """Give free seats to those who wait, first come first, tell them, and return who got one.

    The event must be held. Nobody gets one who may not enter any more, nor where the event is over.
    """
    places = free_seats(event)
    if places == 0 or event.is_over:
        return []
    seated = dict(let_in(EventRegistration.waiting.filter(event=event))[:places].values_list("pk", "user_id"))
    if seated:
        rows = EventRegistration.everything.filter(pk__in=seated)
        rows.update(waiting_since=None, registered_at=timezone.now())
        audit.record("seats_given", target=event, changes={"users": list(seated.values())})
        tell_promoted(event, seated)
    return list(seated.values())


def let_in(rows: QuerySet[EventRegistration]) -> QuerySet[EventRegistration]:
    """Return the rows of people who may enter."""
    return rows.filter(user__in=User.objects.may_enter())


def free_seats_of_suspended(user: User, /) -> None:
    """Free the seats of somebody who has lost rights, where they may not enter any more.

    They are not given back with the rights: somebody else sits there. Events that are over keep them.
    """
    if not user.may_enter:
        free_seats_of(user)


@transaction.atomic
def free_seats_of(user: User, /) -> None:
    """Free somebody's seats and places on waiting lists, wherever it is not over, for those who wait.

    The person must be held: who is promoted at this moment is found, since they waited before. Holds
    the events.
    """
    own = EventRegistration.everything.filter(user=user)
    events = hold_events_of([user.pk])
    # In a statement of its own: it must see what was committed while the locks were waited for.
    own.filter(event__in=events).delete()
    for event in events:
        # Nobody is told: who may not enter gets no mail. Invited anew, they get a higher number.
        event.sequence += 1
    Event.objects.bulk_update(events, ["sequence"])
    for event in events:
        fill(event)
    if events:
        audit.record("seats_freed", target=user, changes={"events": [event.pk for event in events]})


def hold_events_of(people: Collection[int], /) -> list[Event]:
    """Lock the events to come at which these people have seats, or wait for one."""
    rows = EventRegistration.everything.filter(user__in=people, event__in=Event.objects.upcoming())
    return hold_events(rows.order_by().values_list("event_id", flat=True))
