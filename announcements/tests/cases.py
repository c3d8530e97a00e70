"""People who read announcements, and calling the API as one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import mail
from django.core.cache import cache
from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient

from announcements.models import Announcement
from core.models import Delivery, Notice, NotificationChoice
from core.notifications.fanout import fan_out_next
from core.notifications.sending import send_next_batch
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from users.models import User

ENVELOPE = {"error", "detail", "code", "requestId"}


def url(name: str, *args: Any) -> str:
    """Return the address of ``announcements:announcement-<name>``."""
    return reverse(f"announcements:announcement-{name}", args=args)


def call(who: User, method: str, path: str, body: Any = None, **more: Any) -> Any:
    """Send a request as somebody; of a GET the body is the query string."""
    client: Any = APIClient()
    client.force_authenticate(who)
    send = getattr(client, method)
    return send(path, body, **more) if method == "get" else send(path, body, format="json", **more)


class NewsCase(TestCase):
    """An admin, a student and a mentor."""

    admin: User
    student: User
    mentor: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(first_name="Ann", last_name="Desk")
        cls.student = make_user(first_name="Ada", last_name="Lovelace")
        cls.mentor = make_user(role="mentor", status="active")

    def setUp(self) -> None:
        cache.clear()

    def titles(self, who: User, **query: Any) -> list[str]:
        """Return the titles of the list, in its order."""
        response = call(who, "get", url("list"), query)
        self.assertEqual(response.status_code, 200, response.content)
        return [row["title"] for row in response.json()["results"]]

    def create(self, who: User | None = None, **body: Any) -> Any:
        return call(who or self.admin, "post", url("list"), {"title": "News", "summary": "Short", **body})

    def created(self, **body: Any) -> Any:
        response = self.create(**body)
        self.assertEqual(response.status_code, 201, response.content)
        return response.json()

    def assert_refused(self, response: Any, status: int, *fields: str) -> None:
        """The answer has that status and, beside the envelope, errors of these fields alone."""
        self.assertEqual(response.status_code, status, response.content)
        self.assertEqual(set(response.json()) - ENVELOPE, set(fields))


class MailedNewsCase(NewsCase):
    """Work that waits for a commit is done where a test says so."""

    def published(self, **body: Any) -> Announcement:
        """Publish over the API, and let the workers do what that leaves to them."""
        with self.captureOnCommitCallbacks(execute=True):
            made = self.created(**body)
        return Announcement.objects.get(pk=made["id"])

    def queued(self, **body: Any) -> Announcement:
        """Publish over the API, and stop where everybody's mail is queued."""
        with self.captureOnCommitCallbacks():
            news = Announcement.objects.get(pk=self.created(sendEmail=True, **body)["id"])
            while fan_out_next(notice_id=self.notice_id(news)):
                pass
        return news

    def notice_id(self, news: Announcement) -> int:
        return Notice.objects.get(kind="announcement", subject=str(news.pk)).pk

    def send_all(self) -> None:
        while send_next_batch():
            pass

    def ask(self, news: Announcement, method: str = "post", who: User | None = None) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return call(who or self.admin, method, url("mail", news.pk))

    def want(self, person: User, pace: str, kind: str = "announcement") -> None:
        NotificationChoice.objects.update_or_create(person=person, kind=kind, defaults={"pace": pace})

    def told(self, news: Announcement) -> dict[str, str]:
        """Return who was told, by role, and what became of their mail."""
        rows = Delivery.objects.filter(notice__kind="announcement", notice__subject=str(news.pk))
        return dict(rows.values_list("person__role", "state"))

    @staticmethod
    def addressees() -> list[str]:
        return sorted(address for message in mail.outbox for address in message.recipients())
