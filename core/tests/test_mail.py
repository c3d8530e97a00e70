"""Letters: two parts from one source, safe in both."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.core import mail
from django.core.mail import BadHeaderError
from django.test import SimpleTestCase

from core.mail import Attachment, Envelope, Fact, Letter, compose, one_line

if TYPE_CHECKING:
    from email.message import Message

LETTER = Letter(
    subject="Sign in",
    opening="Tom & <b>Jerry</b>",
    facts=(Fact("Link", "https://hub.example.org/?a=1&b=2", action="Open"), Fact("Code", "042917")),
    closing="It's over.",
)


ENVELOPE = Envelope(
    to="ada@example.org",
    message_id="<1@example.org>",
    unsubscribe="https://hub.example.org/unsubscribe/x",
)
CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:São Paulo\r\nEND:VCALENDAR\r\n".encode()
INVITATION = Letter(
    subject="Invitation",
    opening="You are in.",
    attachments=(Attachment("invite.ics", CALENDAR, "text/calendar; method=REQUEST; charset=utf-8"),),
)


class MailTests(SimpleTestCase):
    def sent(self, letter: Letter = LETTER) -> Any:
        compose(letter, Envelope(to="ada@example.org")).send()
        return mail.outbox[-1]

    def test_both_parts_say_the_same(self) -> None:
        message = self.sent()
        html, kind = message.alternatives[0]

        self.assertEqual((message.subject, message.to, kind), ("Sign in", ["ada@example.org"], "text/html"))
        self.assertEqual(
            message.body.split("\n\n")[:2],
            ["Tom & <b>Jerry</b>", "Link: https://hub.example.org/?a=1&b=2\nCode: 042917"],
        )
        for text in ("042917", 'href="https://hub.example.org/?a=1&amp;b=2"', ">Open</a>", "It's over."):
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
            compose(LETTER, Envelope(to="ada@example.org\nBcc: all@example.org")).send()

    def test_it_goes_to_one_address_and_no_other(self) -> None:
        for address in (
            "a@example.org, b@example.org",
            "Ada <ada@example.org>",
            "",
            "a@example.org;b@example.org, c",
        ):
            with self.subTest(address), self.assertRaises(BadHeaderError):
                compose(LETTER, Envelope(to=address)).send()
        self.assertEqual(mail.outbox, [])

    def test_an_unusual_address_is_one_too(self) -> None:
        for address in ("o'neil+hub@example.org", '"a, b"@example.org', "é@münchen.example", "a@[192.0.2.1]"):
            with self.subTest(address):
                compose(LETTER, Envelope(to=address)).send()
                self.assertEqual(mail.outbox[-1].to, [address])

    def test_nor_can_what_the_envelope_says(self) -> None:
        for name in ("message_id", "unsubscribe"):
            envelope = replace(ENVELOPE, **{name: "<1@example.org>\nBcc: all@example.org"})
            with self.subTest(name), self.assertRaises(BadHeaderError):
                compose(LETTER, envelope).message()

    def test_it_is_one_mail_of_two_parts_from_the_programme(self) -> None:
        parts: Message = self.sent().message()

        self.assertEqual(parts.get_content_type(), "multipart/alternative")
        self.assertEqual([part.get_content_type() for part in parts.walk()][1:], ["text/plain", "text/html"])
        self.assertEqual(parts["From"], "noreply@biotechfutures.org")

    def test_machines_are_told_not_to_answer(self) -> None:
        """RFC 3834."""
        self.assertEqual(self.sent().message()["Auto-Submitted"], "auto-generated")

    def test_it_has_the_id_it_was_given_and_one_click_ends_such_mail(self) -> None:
        """RFC 2369, RFC 8058."""
        headers = compose(LETTER, ENVELOPE).message()

        self.assertEqual(headers["Message-ID"], "<1@example.org>")
        self.assertEqual(headers["List-Unsubscribe"], "<https://hub.example.org/unsubscribe/x>")
        self.assertEqual(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_mail_that_cannot_be_ended_does_not_say_it_could(self) -> None:
        message = self.sent()

        self.assertEqual(set(message.extra_headers), {"Auto-Submitted"})
        self.assertNotIn("Unsubscribe", message.body + message.alternatives[0][0])

    def test_what_the_backend_raises_reaches_the_task(self) -> None:
        with (
            patch.object(mail.EmailMultiAlternatives, "send", side_effect=OSError),
            self.assertRaises(OSError),
        ):
            compose(LETTER, Envelope(to="ada@example.org")).send()

    def test_the_link_of_a_letter_is_that_of_its_first_button(self) -> None:
        self.assertEqual(LETTER.link, "https://hub.example.org/?a=1&b=2")
        self.assertEqual(Letter("a", "b", (Fact("Code", "1"),)).link, "")

    def test_markdown_is_html_in_one_part_and_as_it_stands_in_the_other(self) -> None:
        message = self.sent(Letter("a", "b", content="**Bring** a <script>pen</script>"))

        self.assertIn("\n**Bring** a <script>pen</script>\n", message.body)
        self.assertIn("<strong>Bring</strong> a &lt;script&gt;pen&lt;/script&gt;", message.alternatives[0][0])


class InvitationTests(SimpleTestCase):
    """RFC 6047: an invitation is one more way to read the mail, and a file for who cannot."""

    def test_it_is_a_part_beside_text_and_html_and_a_file(self) -> None:
        parts = message_from_bytes(compose(INVITATION, ENVELOPE).message().as_bytes())

        tree = [
            (part.get_content_type(), part.get_param("method"), part.get_filename()) for part in parts.walk()
        ]
        self.assertEqual(
            tree,
            [
                ("multipart/mixed", None, None),
                ("multipart/alternative", None, None),
                ("text/plain", None, None),
                ("text/html", None, None),
                ("text/calendar", "REQUEST", None),
                ("application/ics", None, "invite.ics"),
            ],
        )

    def test_both_hold_the_same_calendar(self) -> None:
        *_, part, file = message_from_bytes(compose(INVITATION, ENVELOPE).message().as_bytes()).walk()

        self.assertEqual(part.get_content_charset(), "utf-8")
        self.assertEqual(str(part["Content-Type"]).count("charset"), 1)
        # Lines of text end as the mail's do: CRLF on the wire, LF here.
        self.assertEqual(part.get_payload(decode=True), CALENDAR.replace(b"\r\n", b"\n"))
        self.assertEqual(file.get_payload(decode=True), CALENDAR)

    def test_another_file_is_a_file_alone(self) -> None:
        letter = Letter("a", "b", attachments=(Attachment("kit.pdf", b"%PDF", "application/pdf"),))

        parts = compose(letter, ENVELOPE).message()

        self.assertEqual(
            [part.get_content_type() for part in parts.walk()],
            ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf"],
        )


class OneLineTests(SimpleTestCase):
    def test_whatever_is_no_line_becomes_one(self) -> None:
        for text, expected in (
            ("Poster evening", "Poster evening"),
            ("  a\r\nBcc: b\t c\u2028d\x00e\x85f ", "a Bcc: b c d e f"),
            ("a\u202egnp.exe", "a gnp.exe"),
            ("\n", ""),
            ("família 👩‍🔬", "família 👩‍🔬"),
        ):
            with self.subTest(text):
                self.assertEqual(one_line(text), expected)

    def test_a_long_one_is_shortened(self) -> None:
        self.assertEqual(one_line("a" * 120), "a" * 120)
        self.assertEqual(one_line("a" * 121), "a" * 119 + "…")
        self.assertEqual(one_line("abc def", 5), "abc…")
