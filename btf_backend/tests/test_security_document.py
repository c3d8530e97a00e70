"""SECURITY.md names tests and drills that exist: a defence whose test was renamed away is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Final

from django.conf import settings
from django.test import SimpleTestCase

ROOT: Final = Path(settings.BASE_DIR)
TICKED: Final = re.compile(r"`([^`]+)`")
MODULE: Final = re.compile(r"(?:\w+\.tests\.)?test_\w+")
CLASS: Final = re.compile(r"[A-Z]\w+Tests?")
NAMED: Final = re.compile(r"(?:def|class) (\w+)")
DRILL: Final = re.compile(r"make (drill|bench) PART=(\w+)")


class SecurityDocumentTests(SimpleTestCase):
    files: ClassVar[list[Path]]
    names: ClassVar[set[str]]
    ticked: ClassVar[list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = [path for path in ROOT.glob("*/tests/*.py") if path.is_file()]
        cls.names = {name for path in cls.files for name in NAMED.findall(path.read_text())}
        cls.ticked = TICKED.findall((ROOT / "SECURITY.md").read_text())

    def is_there(self, name: str) -> bool:
        """Tell whether a module, a test or a class of that name is in one of the apps' tests."""
        app, _, module = name.rpartition(".tests.")
        files = {path.stem for path in self.files if app in {"", path.parent.parent.name}}
        return module in files or (not app and name in self.names)

    def test_every_test_that_it_names_is_there(self) -> None:
        named = [name for name in self.ticked if MODULE.fullmatch(name) or CLASS.fullmatch(name)]
        self.assertGreater(len(named), 80)
        self.assertEqual([name for name in named if not self.is_there(name)], [])

    def test_every_drill_that_it_names_is_there(self) -> None:
        folders = {"drill": ROOT / "benchmarks" / "drills", "bench": ROOT / "benchmarks"}
        named = [found.groups() for name in self.ticked if (found := DRILL.fullmatch(name))]
        self.assertTrue(named)
        self.assertEqual([part for kind, part in named if not (folders[kind] / f"{part}.py").is_file()], [])

    def test_what_is_not_there_is_noticed(self) -> None:
        self.assertFalse(self.is_there("core.tests.test_of_nothing"))
        self.assertFalse(self.is_there("test_" + "nobody_wrote_this"))
