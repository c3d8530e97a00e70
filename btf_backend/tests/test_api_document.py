"""Every example of docs/API.md, and the tour of README.md, on a server as ``make run`` starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest import skipUnless

from django.conf import settings
from django.core.management import get_commands
from django.test import SimpleTestCase

from btf_backend.tests.documented import Example, compared, examples, rewritten, run
from btf_backend.tests.laptop import Laptop
from btf_backend.tests.spoken import PLACES, problems
from core.contract_testing import faults, validator_of

DOCUMENT: Final = Path(settings.BASE_DIR) / "docs/API.md"
README: Final = Path(settings.BASE_DIR) / "README.md"
DOCUMENTED_BASE: Final = "127.0.0.1:8000"
REFUSAL: Final = {"$ref": "#/components/schemas/Refusal"}
INLINE: Final = re.compile(r"`(\{[^`\n]+\})`")
TYPED: Final = re.compile(r"```(?:sh|console)\n(.*?)```|`([^`\n]+)`", re.DOTALL)
SENT: Final = ({"type": "ping"}, {"type": "dance"})


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
        true = (
            '{"id":1,"name":"Ada","at":"2027-01-01T00:00:00.000001Z","rows":[{"id":1,"x":2},{}],"url":"/a/b"}'
        )
        self.assertEqual(compared(documented, true), [])
        for old, new in (
            ('"id":1,"name"', '"id":2,"name"'),
            ('"Ada"', '"Bob"'),
            ('"Ada"', "null"),
            ('"at"', '"when"'),
            ('"url"', '"more":1,"url"'),
            ("2027-01-01T00:00:00.000001Z", "yesterday"),
            ('{"id":1,"x":2},{}', ""),
            ('"/a/b"', '"/b"'),
        ):
            with self.subTest(new):
                self.assertNotEqual(compared(documented, true.replace(old, new)), [])
        self.assert_forms()
        self.assertNotEqual(compared("204", "200"), [])
        self.assertNotEqual(compared("", "200"), [])
        self.assertNotEqual(compared('HTTP/1.1 200 OK\nETag: W/"1"\n\nyes', "HTTP/1.1 200 OK\n\nyes"), [])

    def assert_forms(self) -> None:
        for said, told, is_same in (
            ("2026-11-25", "2027-01-31", True),
            ("2026-11-25", "2027-13-31", False),
            ("2026-11-25T13:43:11.805640Z", "2027-01-01T00:00:00.000001Z", True),
            ("2026-11-25T13:43:11.805640Z", "2027-01-01T00:00:00Z", False),
            ("2026-11-25T13:43:11Z", "2027-01-01T25:00:00Z", False),
            ('HTTP/1.1 200 OK\nETag: W/"1"', 'HTTP/1.1 200 OK\nETag: W/"2"', True),
            ('HTTP/1.1 200 OK\nETag: W/"1"', 'HTTP/1.1 200 OK\nETag: "1"', False),
            ('HTTP/1.1 200 OK\nETag: "…"', 'HTTP/1.1 200 OK\nETag: W/"1"', False),
            ("HTTP/1.1 429 …\nRetry-After: 30", "HTTP/1.1 429 x\nRetry-After: 1", True),
            ("HTTP/1.1 429 …\nRetry-After: 30", "HTTP/1.1 429 x\nRetry-After: 0", False),
            ("HTTP/1.1 429 …\nRetry-After: 30", "HTTP/1.1 429 x\nRetry-After: soon", False),
        ):
            with self.subTest(said, told=told):
                self.assertEqual(compared(said, told) == [], is_same)

    def test_a_command_that_fails_is_found(self) -> None:
        text = "```sh\ntrue\n```\n\n```console\n$ false\n$ echo yes\nyes\n```\n\n```sh\n{}\ntrue\n```\n"
        for last, wanted in (
            ("true", ["line 6: false: exit status 1"]),
            ("echo no", ["line 6: false: exit status 1", "line 12: echo no\ntrue: 'no', not ''"]),
            ("false", ["line 6: false: exit status 1", "line 12: false\ntrue: did not end"]),
        ):
            with self.subTest(last), TemporaryDirectory() as folder:
                found = list(examples(text.format(last)))
                run(found, folder=Path(folder), environment={"PATH": os.environ["PATH"]}, base=("x", "x"))

                self.assertEqual([one for example in found for one in example.faults()], wanted)

    def test_a_form_that_nobody_can_read_is_answered_by_us(self) -> None:
        """Twisted, which serves here, would read it first."""
        body, kind = b"--x\r\nno form", {"Content-Type": "multipart/form-data; boundary=x"}
        self.laptop.start()
        self.addCleanup(self.laptop.stop)
        with closing(HTTPConnection(self.laptop.base.removeprefix("http://"), timeout=30)) as client:
            client.request("POST", "/api/auth/magic-link/", body, kind)
            response = client.getresponse()

            self.assertEqual(
                (response.status, json.loads(response.read())["code"]), (400, "validation_error")
            )


class InlineTests(SimpleTestCase):
    """JSON within the sentences and tables of docs/API.md, and what README.md names."""

    def parsed(self, texts: list[str]) -> list[Any]:
        """Return those that are JSON: others are patterns, in which something is left out."""
        found = []
        for text in texts:
            with suppress(json.JSONDecodeError):
                found.append(json.loads(text))
        return found

    def test_refusals_are_in_the_envelope(self) -> None:
        text = DOCUMENT.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.startswith("{")]
        shown = [one for one in self.parsed(lines + INLINE.findall(text)) if "requestId" in one]

        self.assertGreater(len(shown), 5)
        for one in shown:
            with self.subTest(one["code"]):
                self.assertEqual(faults(validator_of(REFUSAL), one), [])

    def test_frames_are_those_of_the_sockets(self) -> None:
        shown = self.parsed(INLINE.findall(DOCUMENT.read_text(encoding="utf-8")))
        told = [one for one in shown if "type" in one and one not in SENT]

        self.assertGreater(len(told), 5)
        for one in told:
            with self.subTest(one["type"], error=one.get("error")):
                self.assertIn([], [problems(channel, one) for channel in PLACES.values()])

    def test_what_the_readme_tells_to_type_is_there(self) -> None:
        text = README.read_text(encoding="utf-8")
        targets = re.findall(r"(?m)^([a-z0-9-]+):", (Path(settings.BASE_DIR) / "Makefile").read_text())
        typed = "\n".join(block or line for block, line in TYPED.findall(text))

        named = set(re.findall(r"(?m)^(?:\$ )?make ([a-z][a-z0-9-]*)", typed))
        self.assertIn("services", named)
        self.assertEqual(named - set(targets), set())
        for path in re.findall(r"\bscripts/\w+\.(?:sh|py)", typed):
            with self.subTest(path):
                self.assertTrue((Path(settings.BASE_DIR) / path).exists())
        for command in re.findall(r"manage\.py (\w+)", typed):
            with self.subTest(command):
                self.assertIn(command, get_commands())


def rewrite() -> None:
    """Write what is printed now into docs/API.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    laptop = Laptop()
    try:
        DOCUMENT.write_text(rewritten(text, ran(laptop, list(examples(text)))), encoding="utf-8")
    finally:
        laptop.remove()
