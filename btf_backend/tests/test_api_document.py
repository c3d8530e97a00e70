"""Every example of docs/API.md, and the tour of README.md, on a server as ``make run`` starts it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final
from unittest import skipUnless

from django.conf import settings
from django.test import SimpleTestCase

from btf_backend.tests.documented import Example, compared, examples, rewritten, run
from btf_backend.tests.laptop import Laptop

DOCUMENT: Final = Path(settings.BASE_DIR) / "docs/API.md"
README: Final = Path(settings.BASE_DIR) / "README.md"
DOCUMENTED_BASE: Final = "127.0.0.1:8000"


# What a reader does by eye, and a test cannot: see the code in the other window.
READ_CODE: Final = """CODE=
until [ "$CODE" ]; do sleep 1; CODE=$(sed -n 's/^One-Time Code: //p' run.log); done"""


def ran(laptop: Laptop, found: list[Example]) -> list[Example]:
    """Run them on a server with new demo data, beside whose ``run.log`` the shell stands."""
    base = (DOCUMENTED_BASE, laptop.base.removeprefix("http://"))
    laptop.forget()
    laptop.start()
    try:
        run(found, folder=laptop.folder, environment=laptop.environment, base=base)
    finally:
        laptop.stop()
    return found


@skipUnless(
    settings.EMBEDDED and shutil.which("curl"), "The documents are of the embedded profile, and of curl."
)
class ExampleTests(SimpleTestCase):
    laptop: Laptop

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.laptop = Laptop()
        cls.addClassCleanup(cls.laptop.remove)

    def assert_true(self, found: list[Example]) -> None:
        self.assertTrue(found)
        faults = [fault for example in ran(self.laptop, found) for fault in example.faults()]
        self.assertFalse(faults, "\n".join(["What is documented is not what is printed.", *faults]))

    def test_the_api_document_shows_what_is_printed(self) -> None:
        """``make examples`` writes what is printed into it."""
        self.assert_true(list(examples(DOCUMENT.read_text(encoding="utf-8"))))

    def test_the_tour_shows_what_is_printed(self) -> None:
        tour = README.read_text(encoding="utf-8").partition("\n## PostgreSQL")[0]
        start, *found = (example for example in examples(tour) if "make test" not in example.command)
        self.assertEqual(start.command, "make run\n")
        for example in found:
            if example.command.startswith("CODE="):
                example.command = READ_CODE

        self.assert_true(found)

    def test_what_differs_is_found(self) -> None:
        """Else the tests above could not fail."""
        documented = (
            '{"id":1,"name":"Ada","at":"2026-11-25T13:43:11.805640Z","rows":[{"id":1,…},…],"url":"/a/…"}'
        )
        true = '{"id":1,"name":"Ada","at":"2027-01-01T00:00:00Z","rows":[{"id":1,"x":2},{}],"url":"/a/b"}'
        self.assertEqual(compared(documented, true), [])
        for old, new in (
            ('"id":1,"name"', '"id":2,"name"'),
            ('"Ada"', '"Bob"'),
            ('"Ada"', "null"),
            ('"at"', '"when"'),
            ('"url"', '"more":1,"url"'),
            ("2027-01-01T00:00:00Z", "yesterday"),
            ('{"id":1,"x":2},{}', ""),
            ('"/a/b"', '"/b"'),
        ):
            with self.subTest(new):
                self.assertNotEqual(compared(documented, true.replace(old, new)), [])
        self.assertNotEqual(compared("204", "200"), [])
        self.assertNotEqual(compared("", "200"), [])
        self.assertNotEqual(compared('HTTP/1.1 200 OK\nETag: W/"1"\n\nyes', "HTTP/1.1 200 OK\n\nyes"), [])


def rewrite() -> None:
    """Write what is printed now into docs/API.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    laptop = Laptop()
    try:
        DOCUMENT.write_text(rewritten(text, ran(laptop, list(examples(text)))), encoding="utf-8")
    finally:
        laptop.remove()
