"""Reading the mails that people got about events, and the calendar files in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import icalendar
import vobject  # type: ignore[import-untyped]
from django.core import mail

from events.tests.cases import EventCase, call, url

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.mail import EmailMessage

    from events.models import Event
    from users.models import User


def file_of(message: EmailMessage) -> bytes | None:
    """Return the calendar file of a mail: a way to read it, and the same as an attachment."""
    parts = {part.get_content_type(): part for part in message.message().walk()}
    if "text/calendar" not in parts:
        return None
    content: Any = parts["text/calendar"].get_payload(decode=True)
    assert parts["application/ics"].get_payload(decode=True) == content
    return bytes(content)


def entry_of(message: EmailMessage) -> dict[str, Any]:
    """Return what a mail says to a calendar, as two libraries read it alike."""
    content = file_of(message)
    assert content is not None, f"{message.subject}: no file"
    read, other = icalendar.Calendar.from_ical(content.decode()), vobject.readOne(content.decode())
    event: Any
    [event] = read.events
    assert other.vevent.uid.value == event["uid"]
    assert other.method.value == read["method"]
    assert int(other.vevent.sequence.value) == event["sequence"]
    return {
        "method": str(read["method"]),
        "uid": str(event["uid"]),
        "sequence": int(event["sequence"]),
        "status": str(event["status"]),
        "attendee": str(event["attendee"]),
        "start": event.start,
        "title": str(event["summary"]),
        "place": str(event["location"]),
    }


class EventMailCase(EventCase):
    """Requests whose mail leaves with their commit."""

    def done(self, act: Callable[[], object]) -> list[EmailMessage]:
        """Do something; return the mails that left, by who got them."""
        before = len(mail.outbox)
        with self.captureOnCommitCallbacks(execute=True):
            act()
        return sorted(mail.outbox[before:], key=lambda message: message.to)

    def later(self, act: Callable[[], object]) -> Callable[[], list[EmailMessage]]:
        """Do something whose mail leaves when what is returned is called."""
        with self.captureOnCommitCallbacks() as callbacks:
            act()
        return lambda: self.done(lambda: [callback() for callback in callbacks])

    def told(self, messages: list[EmailMessage]) -> list[tuple[str, str]]:
        return [(message.to[0], str(message.subject)) for message in messages]

    def names(self, subject: str, *people: User) -> list[tuple[str, str]]:
        """Return what ``told`` should give where all of these people have a mail of that subject."""
        return sorted((person.email, subject) for person in people)

    def change(self, event: Event, **values: Any) -> Any:
        response = call(self.admin, "patch", url("detail", event.pk), values)
        self.assertEqual(response.status_code, 200, response.content)
        return response

    def delete(self, event: Event) -> Any:
        return call(self.admin, "delete", url("detail", event.pk))
