"""Mail about events and seats: true at the moment at which it leaves, with a file for the calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy

from core.notifications.kinds import Kind, Pace
from events.models import Event, EventRegistration
from events.services import invitations
from events.services.telling import CHANGE, REMINDER, SEAT, aspects_that_differ, begins_in, facts_of
from events.words import change_words, reminder_words, seat_words

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from core.mail import Attachment, Letter
    from core.notifications.kinds import Told, Words


def seat_mail(told: Told) -> Letter | None:
    """Invite who still has the seat; take it out of the calendar of who has none again."""
    if told.data["what"] != "given_up":
        return invited(told, seat_words)
    if rows_of(told).filter(waiting_since=None).exists():
        return None
    return with_file(seat_words(told), invitations.cancellation(told.data, to=told.person.email))


def change_mail(told: Told) -> Letter | None:
    """Say what still is as it was changed; who has had a seat since then has it in the calendar too."""
    match told.data["what"]:
        case "cancelled":
            return with_file(change_words(told), invitations.cancellation(told.data, to=told.person.email))
        case "cancelled_waiting":
            return change_words(told)
    row, event = rows_of(told).first(), event_of(told)
    if row is None or event is None:
        return None
    after, now = told.data["event"], facts_of(event)
    overtaken = aspects_that_differ(after, now)
    changed = [aspect for aspect in told.data["changed"] if aspect not in overtaken]
    if not changed or (event.is_over and "when" not in changed):
        return None
    told = replace(told, data={**told.data, "changed": changed})
    if row.waiting_since is None:
        return invitation(told, event, change_words)
    return change_words(as_it_is(told, event))


def reminder_mail(told: Told) -> Letter | None:
    """Remind who still has the seat, while the event begins when it did."""
    event = event_of(told)
    if event is None or begins_in(facts_of(event)) != begins_in(told.data["event"]):
        return None
    return invited(told, reminder_words)


def invited(told: Told, words: Words) -> Letter | None:
    """Write with an invitation, while the event is not over."""
    event = event_of(told)
    return None if event is None or event.is_over else invitation(told, event, words)


def invitation(told: Told, event: Event, words: Words) -> Letter | None:
    """Write with an invitation to who has the seat that they had then."""
    if not rows_of(told).filter(waiting_since=None, registered_at__lte=told.data["said_at"]).exists():
        return None
    told = as_it_is(told, event)
    return with_file(words(told), invitations.request(event, told.data, to=told.person.email))


def as_it_is(told: Told, event: Event) -> Told:
    """Return the notice as it was written; where the event's number has risen, as it would be written now.

    So a calendar reads under each number what belongs to it, and a mail that is tried again is the same
    while the number is. Descriptions, and seats that others give up, raise it too.
    """
    if event.sequence == told.data["sequence"]:
        return told
    said_at = max(event.updated_at, datetime.fromisoformat(told.data["said_at"]))
    now = {"event": facts_of(event), "sequence": event.sequence, "said_at": said_at.isoformat()}
    return replace(told, data={**told.data, **now})


def with_file(letter: Letter, file: Attachment) -> Letter:
    return replace(letter, attachments=(file,))


def event_of(told: Told) -> Event | None:
    return Event.objects.filter(pk=told.data["event"]["id"]).first()


def rows_of(told: Told) -> QuerySet[EventRegistration]:
    """Return the person's seat, or their place on the waiting list."""
    return EventRegistration.everything.filter(event=told.data["event"]["id"], user=told.person)


# A line of the daily mail has neither time nor place, and no file for the calendar.
PACES: Final = (Pace.NOW, Pace.OFF)

KINDS: Final = (
    Kind(
        name=SEAT,
        label=gettext_lazy("Seats at events"),
        write=seat_words,
        mail=seat_mail,
        paces=PACES,
        is_pressing=True,
    ),
    Kind(
        name=CHANGE,
        label=gettext_lazy("Changes of events"),
        write=change_words,
        mail=change_mail,
        paces=PACES,
        is_pressing=True,
    ),
    Kind(
        name=REMINDER,
        label=gettext_lazy("Reminders of events"),
        write=reminder_words,
        mail=reminder_mail,
        paces=PACES,
        priority=10,
    ),
)
