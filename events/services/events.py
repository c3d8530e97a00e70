"""Events: made, changed, taken away."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from core import audit
from core.refusals import Refused
from core.uploads.removal import drop_files
from events.models import Event
from events.services.holding import hold_event
from events.services.seats import fill
from events.services.telling import tell_cancelled, tell_changed
from users.services.holding import acting

if TYPE_CHECKING:
    from users.models import User

WRITTEN: Final = frozenset({*Event.SHOWN, "type", "capacity"})
WIRE_NAMES: Final = {"end_at": "endAt", "date": "date"}


class WrongTimes(Refused):
    """The times of an event contradict each other (400)."""

    code = "validation_error"


@transaction.atomic
def create_event(*, by: User, **values: Any) -> Event:
    """Make an event; day and time of day come from the start where they were not told.

    Raises WrongTimes (400), and what ``acting`` raises.
    """
    by = acting(by)
    event = Event(**values)
    event.follow_start(told=values)
    check_times(event)
    event.save()
    audit.record("event_created", actor=by, target=event)
    return event


@transaction.atomic
def change_event(event_id: int, *, by: User, values: dict[str, Any]) -> Event:
    """Change an event, record what, and tell who comes and who waits; seats that become free go to those.

    With a new start or zone, day and time of day follow it where they are not told. With fewer seats
    than people, all of them stay: nobody new gets one until there are fewer. Raises WrongTimes (400),
    and what ``hold_event`` raises. Holds who acts, then the event.
    """
    event, by = hold_event(event_id, by=by)
    before, was = {name: getattr(event, name) for name in WRITTEN}, copy(event)
    for name, value in values.items():
        setattr(event, name, value)
    if {"start_at", "timezone"} & values.keys():
        event.follow_start(told=values)
    check_times(event)
    changes = audit.difference(before, {name: getattr(event, name) for name in WRITTEN})
    if changes:
        event.sequence += bool(Event.SHOWN & changes.keys())
        event.save()
        audit.record("event_changed", actor=by, target=event, changes=changes)
        seated = fill(event)
        tell_changed(event, was=was, but=seated)
    return event


@transaction.atomic
def delete_event(event_id: int, *, by: User) -> None:
    """Delete an event with its registrations, its waiting list and its cover; tell whom it concerned.

    Raises what ``hold_event`` raises. Holds who acts, then the event.
    """
    event, by = hold_event(event_id, by=by)
    # From here on nothing new can point at the row: what the cascade collects is all there is.
    Event.objects.select_for_update().get(pk=event.pk)
    tell_cancelled(event)
    drop_files(event.cover_image)
    audit.record("event_deleted", actor=by, target=event)
    event.delete()


def check_times(event: Event) -> None:
    """Raise WrongTimes (400), which names the field, where the times contradict each other."""
    try:
        event.clean()
    except ValidationError as error:
        for field, sentences in error.message_dict.items():
            raise WrongTimes(sentences[0], field=WIRE_NAMES[field]) from error
