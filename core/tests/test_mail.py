"""Letters: two parts from one source, safe in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.core import mail
from django.core.mail import BadHeaderError
from django.test import SimpleTestCase

from core.mail import Fact, Letter, send

if TYPE_CHECKING:
    from email.message import Message

LETTER = Letter(
    subject="Sign in",
    opening="Tom & <b>Jerry</b>",
    facts=(Fact("Link", "https://hub.example.org/?a=1&b=2", action="Open"), Fact("Code", "042917")),
    closing="It's over.",
)


class MailTests(SimpleTestCase):
    def sent(self, letter: Letter = LETTER) -> Any:
        send(letter, to="ada@example.org")
        return mail.outbox[-1]

    def test_both_parts_say_the_same(self) -> None:
        message = self.sent()
        html, kind = message.alternatives[0]

        self.assertEqual((message.subject, message.to, kind), ("Sign in", ["ada@example.org"], "text/html"))
        self.assertEqual(
            message.body.split("\n\n")[:2],
            ["Tom & <b>Jerry</b>", "Link: https://hub.example.org/?a=1&b=2\nCode: 042917"],
        )
        for text in ("042917", 'href="https://hub.example.org/?a=1&amp;b=2"', ">Open</a>", "It&#x27;s over."):
            self.assertIn(text, html)

    def test_html_is_escaped_there_and_plain_text_is_not(self) -> None:
        message = self.sent()

        self.assertIn("Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;", message.alternatives[0][0])
        self.assertNotIn("&amp;", message.body)

    def test_a_subject_cannot_smuggle_in_a_header(self) -> None:
        """SAFETY B10."""
        for subject in ("Hi\nBcc: all@example.org", "Hi\r\nBcc: all@example.org"):
            with self.subTest(subject), self.assertRaises(BadHeaderError):
                self.sent(Letter(subject=subject, opening=""))

    def test_an_address_cannot_either(self) -> None:
        with self.assertRaises(BadHeaderError):
            send(LETTER, to="ada@example.org\nBcc: all@example.org")

    def test_it_is_one_mail_of_two_parts_from_the_programme(self) -> None:
        parts: Message = self.sent().message()

        self.assertEqual(parts.get_content_type(), "multipart/alternative")
        self.assertEqual([part.get_content_type() for part in parts.walk()][1:], ["text/plain", "text/html"])
        self.assertEqual(parts["From"], "noreply@biotechfutures.org")

    def test_what_the_backend_raises_reaches_the_task(self) -> None:
        with (
            patch.object(mail.EmailMultiAlternatives, "send", side_effect=OSError),
            self.assertRaises(OSError),
        ):
            send(LETTER, to="ada@example.org")
