"""The server opens no address that somebody wrote: it stores, shows and mails them (SAFETY B35)."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Final

from django.core import mail
from django.test import override_settings
from django.urls import reverse

from chat.tests.cases import ChatCase
from core.notifications.sending import send_next_batch
from groups.tests.cases import call
from users.tests.factories import make_admin

WAIT_SECONDS: Final = 0.5


class Listener:
    """Counts who connects to a port of this machine, by either family of addresses."""

    def __init__(self) -> None:
        self.visits = 0
        self.socket = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port: int = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self) -> None:
        with suppress(OSError):
            while True:
                visitor, _ = self.socket.accept()
                self.visits += 1
                visitor.close()

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def links(self, scheme: str = "https") -> list[str]:
        names = ("127.0.0.1", "localhost", "[::1]", "127.1", "0x7f000001", "[::ffff:127.0.0.1]")
        return [f"{scheme}://{name}:{self.port}/latest/meta-data.pdf" for name in names]


@override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["*"], API_WRITES_PER_USER="", CHAT_BURST=1_000)
class NoFetchTests(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.listener = Listener()
        self.addCleanup(self.listener.close)

    def settled(self) -> int:
        """Let what waits for a commit or a worker be done, and say how often somebody called."""
        while send_next_batch():
            pass
        threading.Event().wait(WAIT_SECONDS)
        return self.listener.visits

    def test_the_listener_would_hear_of_it(self) -> None:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, self.listener.port)).close()
        self.assertEqual(self.settled(), 2)

    def test_messages(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            sent = [self.post(text=link, attachments=[self.file(link)]) for link in self.listener.links()]
            sent += [self.post(text=" ".join(self.listener.links("http")))]
        self.assertEqual({response.status_code for response in sent[-1:]}, {201})
        self.assertLessEqual({response.status_code for response in sent}, {201, 400})
        self.assertIn(201, {response.status_code for response in sent[:-1]})
        self.page(self.student)
        self.assertEqual(self.settled(), 0)

    def file(self, link: str) -> dict[str, Any]:
        return {"url": link, "filename": "plan.pdf", "mimeType": "application/pdf", "size": 1}

    def test_announcements_that_are_shown_and_mailed(self) -> None:
        admin, links = make_admin(), self.listener.links("http")
        content = "\n\n".join(f"![picture]({link}) <{link}> [here]({link})" for link in links)
        with self.captureOnCommitCallbacks(execute=True):
            made = call(
                admin,
                "post",
                reverse("announcements:announcement-list"),
                {
                    "title": "News",
                    "summary": links[0],
                    "content": content,
                    "link": links[0],
                    "sendEmail": True,
                },
            )
        self.assertEqual(made.status_code, 201)
        call(self.student, "get", reverse("announcements:announcement-detail", args=[made.data["id"]]))
        self.assertEqual(self.settled(), 0)
        self.assertTrue(mail.outbox, "nobody was mailed")

    def test_events_and_resources(self) -> None:
        admin, links = make_admin(), self.listener.links("http")
        with self.captureOnCommitCallbacks(execute=True):
            event = call(
                admin,
                "post",
                reverse("events:event-list"),
                {
                    "title": "Lab",
                    "location": links[0],
                    "time": "10:00",
                    "date": "2031-01-01",
                    "type": "virtual",
                    "registerLink": links[0],
                    "coverImage": links[0],
                    "description": links[1],
                    "longDescription": " ".join(links),
                },
            )
            resource = call(
                admin,
                "post",
                reverse("resources:resource-list"),
                {"title": "Guide", "description": links[0], "type": "link", "file_url": links[0]},
            )
        self.assertEqual(event.status_code, 201)
        # A resource is a file: an address in its place is refused, and not looked up either.
        self.assertEqual(resource.status_code, 415)
        self.assertEqual(self.settled(), 0)
