"""Calling the API of events as somebody, and looking at who sits where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient

from events.models import EventRegistration
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from events.models import Event
    from users.models import User

NEW: Final[dict[str, Any]] = {
    "title": "Symposium",
    "description": "Short",
    "longDescription": "Long",
    "date": "2031-05-06",
    "time": "6 to 8 pm",
    "location": "Brisbane",
    "type": "in-person",
    "registerLink": "",
    "capacity": 3,
}
ENVELOPE: Final = {"error", "detail", "code", "requestId"}
REFUSAL: Final = {*ENVELOPE, "success", "message"}


def url(name: str, *args: Any) -> str:
    """Return the address of ``events:event-<name>``."""
    return reverse(f"events:event-{name}", args=args)


def call(who: User | None, method: str, path: str, body: Any = None, **headers: Any) -> Any:
    """Send a request as somebody."""
    client = APIClient()
    client.force_authenticate(who)
    kind = {} if method == "get" else {"format": "json"}
    return getattr(client, method)(path, body, **kind, headers=headers)


def seated(event: Event) -> list[int]:
    return list(event.registrations.values_list("user_id", flat=True))


def waiting(event: Event) -> list[int]:
    return list(EventRegistration.waiting.filter(event=event).values_list("user_id", flat=True))


class EventCase(TestCase):
    """An admin and four people."""

    admin: User
    ada: User
    bob: User
    cleo: User
    dan: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(first_name="Ann", last_name="Desk")
        cls.ada = make_user(first_name="Ada", last_name="Lovelace")
        cls.bob, cls.cleo, cls.dan = make_user(), make_user(), make_user()

    def setUp(self) -> None:
        cache.clear()

    def ids(self, *people: User) -> list[int]:
        return [person.pk for person in people]

    def register(self, who: User, event: Event) -> Any:
        return call(who, "post", url("register", event.pk))

    def unregister(self, who: User, event: Event) -> Any:
        return call(who, "delete", url("register", event.pk))

    def wait(self, who: User, event: Event) -> Any:
        return call(who, "post", url("waitlist", event.pk))

    def document(self, who: User, event: Event) -> Any:
        response = call(who, "get", url("detail", event.pk))
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def assert_refused(self, response: Any, status: int, *fields: str, code: str | None = None) -> None:
        """The answer has that status and, beside the envelope, errors of these fields alone."""
        body = response.json()
        self.assertEqual(response.status_code, status, body)
        self.assertEqual(set(body) - ENVELOPE, set(fields))
        self.assertIn(code, {None, body["code"]})

    def assert_no_seat(self, response: Any, status: int, code: str) -> None:
        """The answer is a refusal as the web client reads it (CONTRACT 12, D6)."""
        body = response.json()
        self.assertEqual((response.status_code, set(body), body["code"]), (status, REFUSAL, code), body)
        self.assertEqual((body["success"], body["message"]), (False, body["error"]))
