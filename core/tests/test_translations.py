"""Every word of a letter has its translation, and what is compiled is what was written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.messages.pofile import read_po
from django.conf import settings
from django.test import SimpleTestCase, override_settings
from django.utils import translation

if TYPE_CHECKING:
    from babel.messages.catalog import Message

LOCALE: Final = Path(settings.BASE_DIR) / "core" / "locale"
PLACEHOLDER: Final = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")


def forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    """Return the one form of a text, or its forms by number."""
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def written(language: str) -> list[Message]:
    """Return what its catalogue holds, without the head."""
    with (LOCALE / translation.to_locale(language) / "LC_MESSAGES" / "django.po").open("rb") as file:
        return [message for message in read_po(file) if message.id]


class TranslationTests(SimpleTestCase):
    maxDiff = None
    OTHERS = tuple(language for language, _ in settings.LANGUAGES if language != "en")

    def test_each_word_is_translated_by_a_person(self) -> None:
        for language in self.OTHERS:
            for message in written(language):
                with self.subTest(message.id, language=language):
                    self.assertFalse(message.fuzzy)
                    self.assertTrue(all(forms(message.string)))

    def test_a_translation_is_filled_in_as_its_original_is(self) -> None:
        for language in self.OTHERS:
            for message in written(language):
                wanted = {tuple(sorted(PLACEHOLDER.findall(form))) for form in forms(message.id)}
                with self.subTest(message.id, language=language):
                    for form in forms(message.string):
                        self.assertIn(tuple(sorted(PLACEHOLDER.findall(form))), wanted)

    def test_code_and_catalogues_agree(self) -> None:
        """Where this fails: ``make messages``, translate what is new, and again."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "locale"
            shutil.copytree(LOCALE, copy)
            subprocess.run(  # noqa: S603 - our own script
                [str(Path(settings.BASE_DIR) / "scripts" / "messages.sh")],
                env={**os.environ, "LOCALE": str(copy), "VENV": sys.prefix},
                check=True,
                timeout=120,
            )
            for language in self.OTHERS:
                with self.subTest(language):
                    po = Path(translation.to_locale(language)) / "LC_MESSAGES" / "django.po"
                    mo = po.with_suffix(".mo")
                    self.assertEqual((LOCALE / po).read_text("utf-8"), (copy / po).read_text("utf-8"))
                    self.assertTrue((LOCALE / mo).read_bytes() == (copy / mo).read_bytes(), "make messages")

    def test_templates_get_their_words_from_python(self) -> None:
        """What they said themselves would not be gathered."""
        for path in Path(settings.BASE_DIR).glob("*/templates/**/*.*"):
            with self.subTest(path.name):
                self.assertNotRegex(path.read_text(encoding="utf-8"), r"{%\s*(block)?trans")

    def test_no_word_hides_in_an_f_string(self) -> None:
        """Babel finds it there with newer Pythons alone."""
        for path in Path(settings.BASE_DIR).glob("*/**/*.py"):
            if not path.relative_to(settings.BASE_DIR).parts[0].startswith("."):
                with self.subTest(path):
                    self.assertNotRegex(path.read_text(encoding="utf-8"), r"\{n?p?(gettext|_)\(")

    def test_the_server_finds_them(self) -> None:
        with translation.override("pt-br"):
            self.assertEqual(translation.gettext("Sign in"), "Entrar")
            self.assertEqual(
                translation.ngettext(
                    "Both expire in %(minutes)d minute.", "Both expire in %(minutes)d minutes.", 1
                ),
                "Os dois valem por %(minutes)d minuto.",
            )

    @override_settings(PROGRAMME_LANGUAGE="pt-br")
    def test_the_api_speaks_english_wherever_the_programme_is(self) -> None:
        answer = self.client.get("/api/users/me/", headers={"Accept-Language": "pt-BR"})

        self.assertEqual(answer.json()["detail"], "Authentication credentials were not provided.")
