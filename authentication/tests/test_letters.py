"""The letters, word for word: what a person reads, and the two lines that clients look for."""

from __future__ import annotations

from django.core import mail
from django.test import SimpleTestCase, override_settings

from authentication.letters import sign_in_letter, token_reuse_letter
from core.mail import Envelope, compose

SIGN_IN = """\
Use the link or the code to sign in. Each works once.

Magic Link: https://hub.example.org/auth/verify?token=t0k3n_-
One-Time Code: 004217

Both expire in 10 minutes. If you did not ask for this, you can ignore this mail.

BIOTech Futures Hub
"""


@override_settings(FRONTEND_BASE_URL="https://hub.example.org/", PROGRAMME_NAME="BIOTech Futures Hub")
class LetterTests(SimpleTestCase):
    def test_the_sign_in_letter_reads_so(self) -> None:
        compose(sign_in_letter("t0k3n_-", "004217"), Envelope(to="ada@example.org")).send()

        sent = mail.outbox[0]
        self.assertEqual(sent.subject, "Sign in to BIOTech Futures Hub")
        self.assertEqual(str(sent.body).strip(), SIGN_IN.strip())

    def test_its_html_has_a_button_the_plain_link_and_the_code(self) -> None:
        compose(sign_in_letter("t0k3n_-", "004217"), Envelope(to="ada@example.org")).send()

        html = mail.outbox[0].message().get_payload()[1].get_payload(decode=True).decode()  # type: ignore[union-attr, index]
        self.assertInHTML(
            "<strong class='code' style='font-size: 28px;letter-spacing: 4px;'>004217</strong>", html
        )
        self.assertEqual(html.count("https://hub.example.org/auth/verify?token=t0k3n_-"), 3)
        self.assertIn(">Sign in</a>", html)

    @override_settings(MAGIC_LINK_EXPIRY_SECONDS=90)
    def test_it_says_how_long_they_are_good(self) -> None:
        self.assertIn("expire in 1 minute.", sign_in_letter("t", "1").closing)

    def test_the_warning_names_the_device(self) -> None:
        letter = token_reuse_letter("Firefox on Windows")

        self.assertIn("(Firefox on Windows)", letter.opening)
        self.assertEqual(letter.facts, ())
        self.assertIn("(unknown device)", token_reuse_letter("").opening)
