"""A conversation as tests meet it, and taking part in it over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from chat.tests.factories import make_message
from groups.tests.cases import GroupCase, call
from users.tests.factories import make_link, make_user

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from chat.models import Message
    from groups.models import Group
    from users.models import User

REMOVED: Final = "This message was removed."
UNKNOWN_ID: Final = 2**62
STATES: Final[dict[str, dict[str, Any]]] = {
    "approved": {},
    "pending": {"moderation_status": "pending"},
    "rejected": {"moderation_status": "rejected"},
    "removed": {"is_deleted": True, "deleted_at": timezone.now()},
}


class ChatCase(GroupCase):
    """The group of ``GroupCase``, and a supervisor who is linked to one of its students."""

    supervisor: User
    readers: dict[str, User]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.supervisor = make_user(role="supervisor", status="active", first_name="Vera", last_name="Rubin")
        make_link(cls.student, cls.supervisor)
        cls.readers = {
            "author": cls.student,
            "member": cls.friend,
            "mentor": cls.mentor,
            "supervisor": cls.supervisor,
            "admin": cls.admin,
        }

    def setUp(self) -> None:
        super().setUp()
        self.signed_in: dict[int, APIClient] = {}

    def client_of(self, who: User) -> APIClient:
        """Return a client that holds a session of somebody's, the same one each time."""
        if who.pk not in self.signed_in:
            self.signed_in[who.pk] = signed_in_client(who)
        return self.signed_in[who.pk]

    def url(self, name: str = "group-messages", *args: Any, group: Group | None = None) -> str:
        return reverse(f"chat:{name}", args=[(group or self.group).pk, *args])

    def one(self, message_id: int, group: Group | None = None) -> str:
        return self.url("group-message-detail", message_id, group=group)

    def write(self, **fields: Any) -> Message:
        """Store a message of the student's, unannounced."""
        return make_message(**{"group": self.group, "author": self.student, **fields})

    def post(self, who: User | None = None, **body: Any) -> Any:
        """Send a message, the student's where nobody is named, and return the answer."""
        return call(who or self.student, "post", self.url(), body)

    def posted(self, who: User | None = None, **body: Any) -> dict[str, Any]:
        response = self.post(who, **{"text": "Hello", **body})
        self.assertEqual(response.status_code, 201, response.content)
        message: dict[str, Any] = response.json()
        return message

    def change(self, who: User, message_id: int, **body: Any) -> Any:
        return call(who, "patch", self.one(message_id), body)

    def remove(self, who: User, message_id: int) -> Any:
        return call(who, "delete", self.one(message_id))

    def react(self, who: User, message_id: int, sign: str = "\U0001f44d", method: str = "put") -> Any:
        return call(who, method, self.url("group-message-reaction", message_id, sign))

    def page(self, who: User | None = None, **query: Any) -> dict[str, Any]:
        """Return a page of the conversation as somebody reads it."""
        response = call(who or self.student, "get", self.url(), **query)
        self.assertEqual(response.status_code, 200, response.content)
        page: dict[str, Any] = response.json()
        return page

    def texts(self, who: User | None = None, **query: Any) -> list[str]:
        return [message["text"] for message in self.page(who, **query)["messages"]]

    def shown(self, who: User, message_id: int) -> dict[str, Any] | None:
        """Return a message as the conversation shows it to somebody; None where it is left out."""
        messages = self.page(who, limit=100)["messages"]
        return next((message for message in messages if message["id"] == message_id), None)
