"""A letter through a mail service: anymail's Postmark backend, against an HTTP server of our own."""

from __future__ import annotations

import json
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from anymail.exceptions import AnymailAPIError
from django.test import SimpleTestCase, override_settings

from core.mail import Attachment, Letter, compose
from core.tests.test_mail import CALENDAR, ENVELOPE, INVITATION


class Service(BaseHTTPRequestHandler):
    """Takes a mail as Postmark does, and keeps what it was sent."""

    taken: list[tuple[str, Any]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers["X-Postmark-Server-Token"], json.loads(body)))
        answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "ada@example.org"}
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class MailServiceTests(SimpleTestCase):
    def setUp(self) -> None:
        class Handler(Service):
            taken = []

        self.handler: type[Service] = Handler
        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        self.enterContext(
            override_settings(
                EMAIL_BACKEND="anymail.backends.postmark.EmailBackend",
                ANYMAIL={
                    "POSTMARK_SERVER_TOKEN": "t0ken",
                    "POSTMARK_API_URL": f"http://127.0.0.1:{server.server_port}/",
                },
            )
        )

    def test_it_takes_the_letter_with_its_headers_and_its_file(self) -> None:
        pdf = Attachment("kit.pdf", b"%PDF-1.7", "application/pdf")
        message = compose(Letter("Olá", "Tom & Jerry", attachments=(pdf,)), ENVELOPE)

        self.assertEqual(message.send(), 1)

        (token, body), *more = self.handler.taken
        self.assertEqual((token, more), ("t0ken", []))
        self.assertEqual((body["To"], body["Subject"]), ("ada@example.org", "Olá"))
        self.assertIn("Tom & Jerry", body["TextBody"])
        self.assertIn("Tom &amp; Jerry", body["HtmlBody"])
        self.assertEqual(
            {header["Name"]: header["Value"] for header in body["Headers"]},
            {
                "Auto-Submitted": "auto-generated",
                "Message-ID": "<1@example.org>",
                "List-Unsubscribe": "<https://hub.example.org/unsubscribe/x>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )
        (file,) = body["Attachments"]
        self.assertEqual((file["Name"], file["ContentType"]), ("kit.pdf", "application/pdf"))
        self.assertEqual(b64decode(file["Content"]), b"%PDF-1.7")

    def test_an_invitation_is_a_file_that_says_so(self) -> None:
        compose(INVITATION, ENVELOPE).send()

        (file,) = self.handler.taken[0][1]["Attachments"]
        self.assertEqual(file["ContentType"], 'text/calendar; method="REQUEST"; charset="utf-8"')
        self.assertEqual(b64decode(file["Content"]), CALENDAR)

    def test_what_the_service_refuses_is_raised(self) -> None:
        self.handler.status = 500

        with self.assertRaises(AnymailAPIError):
            compose(INVITATION, ENVELOPE).send()
