"""Each defect of the reference (CONTRACT 19) has a test that names it in its docstring, wherever it is."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Final

from django.conf import settings
from django.test import SimpleTestCase

APPS: Final = (
    *("announcements", "authentication", "btf_backend", "chat", "core", "events", "groups", "resources"),
    "users",
)
# B3 (codes from a weak generator) and B104 (a script that needs bash) are what linters hold.
DEFECTS: Final = set(
    chain(
        *({1, 2}, range(4, 18), range(20, 36), range(40, 51)),
        *(range(60, 79), range(80, 94), range(100, 104), range(105, 110)),
    )
)
ATTACKS: Final = re.compile(r"SAFETY[^.;:]*")  # whose numbers look the same
NAMED: Final = re.compile(r'def test_\w+\(self[^"]*?-> None:\n\s+"""([^"]*)"""')


def tests() -> str:
    files = (path for app in APPS for path in Path(settings.BASE_DIR, app, "tests").glob("test_*.py"))
    return "\n".join(path.read_text() for path in files)


class NamedDefectsTests(SimpleTestCase):
    def test_every_defect_has_a_test_that_names_it(self) -> None:
        docstrings = [ATTACKS.sub("", text) for text in NAMED.findall(tests())]

        named = {int(number) for text in docstrings for number in re.findall(r"\bB(\d+)", text)}

        self.assertEqual(DEFECTS - named, set())
