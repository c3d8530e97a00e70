"""The typed readers of the environment."""

from __future__ import annotations

import os
import stat
import tempfile
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from btf_backend.env import (
    env,
    env_bool,
    env_choice,
    env_colour,
    env_int,
    env_list,
    env_prefixed,
    env_rates,
    env_redis,
    env_zone,
    load_env_file,
)
from btf_backend.secret_key import secret_key


def given(value: str | None) -> Any:
    """Set or unset the variable X."""
    return patch.dict(os.environ, {} if value is None else {"X": value}, clear=True)


class ReaderTests(SimpleTestCase):
    def refuses(self) -> Any:
        return self.assertRaisesRegex(ImproperlyConfigured, "^X must ")

    def test_text_is_trimmed_and_blank_is_the_default(self) -> None:
        for value, expected in (("a", "a"), (" a b ", "a b"), ("", "z"), ("  ", "z"), (None, "z")):
            with self.subTest(value), given(value):
                self.assertEqual(env("X", "z"), expected)

    def test_a_truth_value_has_four_words_each_way(self) -> None:
        for value in ("true", "True", "1", "YES", " on "):
            with self.subTest(value), given(value):
                self.assertTrue(env_bool("X", default=False))
        for value in ("false", "False", "0", "no", "OFF"):
            with self.subTest(value), given(value):
                self.assertFalse(env_bool("X", default=True))
        for default, blank in product((True, False), (None, "", "  ")):
            with self.subTest(default, blank=blank), given(blank):
                self.assertIs(env_bool("X", default=default), default)
        for value in ("maybe", "2", "truee", "y"):
            with self.subTest(value), given(value), self.refuses():
                env_bool("X", default=False)

    def test_a_colour_has_six_digits(self) -> None:
        for value, expected in (("#0B6E4F", "#0b6e4f"), ("", "#ffffff")):
            with self.subTest(value), given(value):
                self.assertEqual(env_colour("X", "#ffffff"), expected)
        for value in ("green", "#0b6", "0b6e4f", "#0b6e4g", "#0b6e4f;", "#0b6e4f\n#"):
            with self.subTest(value), given(value), self.refuses():
                env_colour("X", "#ffffff")

    def test_a_time_zone_is_a_name_that_exists(self) -> None:
        for value, expected in (("Australia/Sydney", "Australia/Sydney"), ("", "UTC")):
            with self.subTest(value), given(value):
                self.assertEqual(env_zone("X", "UTC"), expected)
        for value in ("Sydney", "+10:00", "australia/sydney", "../UTC", "localtime", "Factory"):
            with self.subTest(value), given(value), self.refuses():
                env_zone("X", "UTC")

    def test_a_number_is_whole_and_not_too_small(self) -> None:
        for value, expected in (("0", 0), (" 25 ", 25), ("", 7), (None, 7)):
            with self.subTest(value), given(value):
                self.assertEqual(env_int("X", 7), expected)
        for value in ("x", "1.5", "1e3", "-1", "10 minutes"):
            with self.subTest(value), given(value), self.refuses():
                env_int("X", 7)
        with given("0"), self.refuses():
            env_int("X", 7, minimum=1)

    def test_a_number_may_be_bounded_above(self) -> None:
        with given("11"):
            self.assertEqual(env_int("X", 1, maximum=11), 11)
            with self.refuses():
                env_int("X", 1, maximum=10)

    def test_a_redis_has_a_url(self) -> None:
        for value in ("redis://h:1/0", "rediss://h:1/0", "unix:///run/redis.sock", ""):
            with self.subTest(value), given(value):
                self.assertEqual(env_redis("X"), value)
        with given("localhost:6379"), self.refuses():
            env_redis("X")

    def test_a_list_is_trimmed_and_drops_what_is_empty(self) -> None:
        for value, expected in (("a, b ,,c", ["a", "b", "c"]), (",", []), ("", ["z"]), (None, ["z"])):
            with self.subTest(value), given(value):
                self.assertEqual(env_list("X", "z"), expected)

    def test_a_choice_is_one_of_the_words(self) -> None:
        with given("b"):
            self.assertEqual(env_choice("X", "a", ["a", "b"]), "b")
        with given("c"), self.refuses():
            env_choice("X", "a", ["a", "b"])

    def test_rates_are_counts_over_windows_or_nothing(self) -> None:
        for value, expected in (("1/30s, 5/15m", "1/30s,5/15m"), ("", ""), (None, "9/1d"), ("2/3h", "2/3h")):
            with self.subTest(value), given(value):
                self.assertEqual(env_rates("X", "9/1d"), expected)
        for value in ("5", "5/m", "0/1m", "5/0m", "5/1w", "5/1m,", "-1/1m", "5/1m;6/1h"):
            with self.subTest(value), given(value), self.refuses():
                env_rates("X", "")

    def test_a_prefix_collects_what_it_leads(self) -> None:
        with patch.dict(os.environ, {"X_A": "1", "X_B": "", "Y_C": "3"}, clear=True):
            self.assertEqual(env_prefixed("X_"), {"A": "1", "B": ""})


class FileTests(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / ".env"

    def load(self, text: str, **already: str) -> dict[str, str]:
        self.path.write_text(text, encoding="utf-8")
        with patch.dict(os.environ, already, clear=True):
            load_env_file(self.path)
            return dict(os.environ)

    def test_lines_quotes_and_comments_are_read(self) -> None:
        text = "# why\n\nA=1\nB = 'two words'\nexport C=\"ü\" # why\nD=\n"

        self.assertEqual(self.load(text), {"A": "1", "B": "two words", "C": "ü", "D": ""})

    def test_what_is_set_already_wins(self) -> None:
        self.assertEqual(self.load("A=1\nB=2", A="0"), {"A": "0", "B": "2"})

    def test_a_broken_line_is_told_by_its_number(self) -> None:
        for text in ("A=1\nno line", "A=1\nB", "A=1\n'B=2"):
            with self.subTest(text), self.assertRaisesRegex(ImproperlyConfigured, "line 2"):
                self.load(text)

    def test_what_is_no_text_is_refused(self) -> None:
        for content in (b"NAME=caf\xe9\n", b"NAME=a\0b\n"):
            with self.subTest(content), self.assertRaises(ImproperlyConfigured):
                self.path.write_bytes(content)
                load_env_file(self.path)

    def test_no_file_is_no_variable(self) -> None:
        with patch.dict(os.environ, {}, clear=True):
            load_env_file(self.path)
            self.assertEqual(dict(os.environ), {})


class SecretKeyTests(SimpleTestCase):
    def test_a_laptop_makes_its_own_once_and_for_its_owner_alone(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            keys = {secret_key(Path(folder), is_laptop=True) for _ in range(2)}
            mode = stat.S_IMODE((Path(folder) / ".secret_key").stat().st_mode)

        self.assertEqual((len(keys), mode), (1, 0o600))
        self.assertGreater(len(keys.pop()), 50)

    def test_elsewhere_it_must_be_given(self) -> None:
        """B16."""
        with (
            tempfile.TemporaryDirectory() as folder,
            self.assertRaisesMessage(ImproperlyConfigured, "SECRET_KEY"),
        ):
            secret_key(Path(folder), is_laptop=False)
