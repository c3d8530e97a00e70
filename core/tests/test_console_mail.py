"""Mail on a developer's screen."""

from __future__ import annotations

from io import StringIO

from django.test import SimpleTestCase

from core.console_mail import BOLD, PLAIN, WIDTH, EmailBackend
from core.mail import Attachment, Envelope, Fact, Letter, compose

LETTER = Letter(
    subject="Sign in",
    opening="São Paulo \x1b[2J",
    facts=(Fact("Magic Link", "https://hub.example.org/", action="Open"), Fact("One-Time Code", "042917")),
    attachments=(Attachment("invite.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar"),),
)


class Screen(StringIO):
    def isatty(self) -> bool:
        return True


class ConsoleMailTests(SimpleTestCase):
    def shown(self, stream: StringIO) -> str:
        message = compose(LETTER, Envelope(to="ada@example.org"))
        self.assertEqual(EmailBackend(stream=stream).send_messages([message]), 1)
        return stream.getvalue()

    def test_it_is_the_text_in_a_frame(self) -> None:
        lines = self.shown(StringIO()).splitlines()

        self.assertEqual(lines[2:4], ["To: ada@example.org", "Subject: Sign in"])
        self.assertIn("Magic Link: https://hub.example.org/", lines)
        self.assertIn("One-Time Code: 042917", lines)
        self.assertEqual(lines[-3:], ["Attached: invite.ics", "=" * WIDTH, ""])

    def test_neither_html_nor_controls_are_in_it(self) -> None:
        shown = self.shown(StringIO())

        self.assertNotIn("<", shown)
        self.assertIn("São Paulo [2J", shown)
        self.assertTrue(shown.replace("\n", "").isprintable())

    def test_the_code_stands_out_on_a_terminal(self) -> None:
        self.assertIn(f"\n{BOLD}One-Time Code: 042917{PLAIN}\n", self.shown(Screen()))
