"""Sealed values open with the right key and purpose, and with nothing else."""

from __future__ import annotations

from itertools import product

from django.test import SimpleTestCase, override_settings

from core.sealing import Unreadable, seal, unseal

OLD, NEW = "old" * 20, "new" * 20


class SealingTests(SimpleTestCase):
    def test_a_value_comes_back_as_it_was(self) -> None:
        for value, key in product(
            ("lovelace@example.org", {"a": [1, None, "Zoë"]}, "", 0), (None, "a token")
        ):
            with self.subTest(value=value, key=key):
                sealed = seal(value, purpose="test", key=key)

                self.assertNotIn("lovelace", sealed)
                self.assertEqual(unseal(sealed, purpose="test", key=key), value)

    def test_the_same_value_never_looks_the_same(self) -> None:
        self.assertNotEqual(seal("x", purpose="test"), seal("x", purpose="test"))

    def test_another_purpose_or_key_opens_nothing(self) -> None:
        cases = [("other", None), ("test", "a token"), ("", None)]
        sealed = seal("x", purpose="test")
        for purpose, key in cases:
            with self.subTest(purpose=purpose, key=key), self.assertRaises(Unreadable):
                unseal(sealed, purpose=purpose, key=key)

    def test_whatever_was_changed_opens_nothing(self) -> None:
        sealed = seal("x", purpose="test")
        other = "A" if sealed[20] != "A" else "B"
        for text in (sealed[:-4], sealed[:20] + other + sealed[21:], "", "nonsense", "é"):
            with self.subTest(text[:30]), self.assertRaises(Unreadable):
                unseal(text, purpose="test")

    def test_after_a_change_of_keys_the_old_one_still_opens(self) -> None:
        with override_settings(SECRET_KEY=OLD, SECRET_KEY_FALLBACKS=[]):
            sealed = seal("x", purpose="test")

        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
            self.assertEqual(unseal(sealed, purpose="test"), "x")
        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]), self.assertRaises(Unreadable):
            unseal(sealed, purpose="test")

    @override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD])
    def test_new_values_are_sealed_with_the_new_key(self) -> None:
        sealed = seal("x", purpose="test")

        with override_settings(SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(unseal(sealed, purpose="test"), "x")
