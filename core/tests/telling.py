"""Kinds of notices for tests, and a case whose mail goes to a real SMTP server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import patch

from django.test import TestCase, override_settings

from core.mail import Fact, Letter
from core.models import Delivery, Notice, NotificationChoice, NotificationSettings
from core.notifications.fanout import fan_out_next
from core.notifications.kinds import Kind, Told
from core.notifications.notices import notify
from core.notifications.sending import send_next_batch
from core.registry import notification_kinds
from core.tests.smtp import SmtpServer

if TYPE_CHECKING:
    from core.tests.smtp import Taken
    from users.models import User


def words(told: Told) -> Letter:
    title = told.data["title"]
    return Letter(title, f"About {title}.", (Fact("Link", "https://hub.example.org/", "Open"),))


def late_words(told: Told) -> Letter | None:
    """Say nothing where it is not true any more; fail where the product has a fault."""
    if told.data["title"] == "broken":
        raise ZeroDivisionError
    return None if told.data["title"] == "untrue" else words(told)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="news", label="News", write=words, mail=late_words),
        Kind(name="urgent", label="Urgent", write=words, priority=50),
        Kind(name="must", label="Must", write=words, is_mandatory=True, reaches_suspended=True),
        Kind(name="quiet", label="Quiet", write=words, by_mail=False),
    )
}


class TellingCase(TestCase):
    """The kinds above, and short words for what tests do with them."""

    def setUp(self) -> None:
        kinds = patch.dict(notification_kinds.entries, KINDS)
        kinds.start()
        self.addCleanup(kinds.stop)

    def tell(self, *people: User, kind: str = "news", title: str = "Hello", **more: Any) -> Notice:
        """Write a notice and everybody's delivery, as a worker does."""
        data = {"title": title}
        notify(kind, subject=title, data=data, to=[one.pk for one in people], **more)
        notice = Notice.objects.get(kind=kind, subject=title)
        with self.captureOnCommitCallbacks():
            while fan_out_next(notice_id=notice.pk):
                pass
        return notice

    def wish(self, person: User, **choices: str) -> None:
        for kind, pace in choices.items():
            NotificationChoice.objects.update_or_create(person=person, kind=kind, defaults={"pace": pace})

    def settings_of(self, person: User, **values: Any) -> None:
        NotificationSettings.objects.update_or_create(person=person, defaults=values)

    def delivery(self, person: User, **more: Any) -> Delivery:
        return Delivery.objects.get(person=person, **more)


class MailCase(TellingCase):
    """Mail goes to a server of the test's own."""

    server: ClassVar[SmtpServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = SmtpServer().start()
        cls.addClassCleanup(cls.server.stop)
        cls.enterClassContext(override_settings(**cls.server.settings, EMAIL_TIMEOUT=1))

    def setUp(self) -> None:
        super().setUp()
        fresh = SmtpServer()
        self.server.taken, self.server.tried, self.server.reply = fresh.taken, fresh.tried, fresh.reply
        self.server.is_silent, self.server.connections = False, 0

    def send_all(self, rounds: int = 100) -> None:
        """Send what is due until nothing is."""
        for _ in range(rounds):
            if not send_next_batch():
                return

    def taken_of(self, person: User) -> list[Taken]:
        return self.server.to(person.email)
