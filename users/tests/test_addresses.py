"""One mailbox, one spelling (B13, B14; SAFETY B02)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.test import SimpleTestCase

from users.addresses import LONGEST, USERNAME_LENGTH, normalise, shortened

SPELLINGS = [
    "ada@bücher.example.org",
    "Ada@bücher.example.org",
    "ADA@bücher.example.org",
    "aDa@BÜCHER.example.org",
    "ada@BÜCHER.EXAMPLE.ORG",
    " ada@bücher.example.org",
    "ada@bücher.example.org\t",
    "\r\n Ada@Bücher.Example.Org \n",
    "ada@xn--bcher-kva.example.org",
    "ADA@XN--BCHER-KVA.EXAMPLE.ORG",
    "ada@bu\u0308cher.example.org",  # u with a combining diaeresis
    "ada@bücher\u3002example\u3002org",  # the ideographic full stop
]
NO_ADDRESSES = [
    "",
    " ",
    "ada",
    "@example.org",
    "ada@",
    "ada@@example.org",
    "ada@example.org.",
    "ada@.example.org",
    "ada@exa..mple.org",
    "ada@example",
    "a b@example.org",
    "ada@ example.org",
    "ada @example.org",
    '"ada lovelace"@example.org',
    '"ada"@example.org',  # the mailbox of ada, in a spelling with budgets of its own
    r'"a\da"@example.org',
    "ada@[127.0.0.1]",
    "ada@example.org, bob@example.org",
    "Ada <ada@example.org>",
    "ada\n@example.org",
    "ada@example.org\nBcc: bob@example.org",
    "ada\x00@example.org",
    "ad\u0131@example.org",  # the dotless i passes Django's pattern
    "zoë@example.org",
    f"ada@{'b' * 64}.org",
    f"{'a' * 250}@example.org",
    f"ada@{'ü' * 300}.org",
]


class NormaliseTests(SimpleTestCase):
    def test_12_spellings_are_one_mailbox(self) -> None:
        """B13."""
        self.assertEqual(len(set(SPELLINGS)), 12)
        self.assertEqual({normalise(text) for text in SPELLINGS}, {"ada@xn--bcher-kva.example.org"})

    def test_a_spelling_is_its_own(self) -> None:
        for text in ("a+b@example.org", "a.b@example.org", "o'hara@example.org", "ada@localhost"):
            with self.subTest(text):
                self.assertEqual(normalise(text), text)

    def test_what_is_no_address_is_refused(self) -> None:
        """B14."""
        for text in NO_ADDRESSES:
            with self.subTest(text[:40]):
                self.assertRaises(ValidationError, normalise, text)

    def test_the_longest_address_is_taken(self) -> None:
        domain = ".".join(["b" * 60] * 3) + ".org"
        text = f"{'a' * (LONGEST - len(domain) - 1)}@{domain}"

        self.assertEqual(len(normalise(text)), LONGEST)
        self.assertRaises(ValidationError, normalise, f"a{text}")


class ShortenedTests(SimpleTestCase):
    def test_a_username_fits_and_tells_two_long_addresses_apart(self) -> None:
        """B14."""
        names = [shortened(f"{'a' * 200}{n}@example.org") for n in range(2)]

        self.assertEqual([len(name) for name in names], [USERNAME_LENGTH] * 2)
        self.assertNotEqual(*names)
