"""What processes do not load before they need it: counted in modules, since a clock tells of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from django.test import SimpleTestCase

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
# Each with when it is loaded; together a second, and 60 MiB of every process.
LATER: Final = {
    "boto3": "the storage's first use, where files lie in a bucket",
    "daphne": "runserver",
    "twisted": "runserver",
    "openpyxl": "the first workbook that is read or written",
    "numpy": "a benchmark's plot; openpyxl loads it where it is there",
    "matplotlib": "a benchmark's plot",
    "icalendar": "the first calendar or invitation",
    "sentry_sdk": "a start with SENTRY_DSN",
    "jsonschema_rs": "tests of the contract",
    "gunicorn": "the server's own start",
    "uvicorn": "the server's own start",
}
# What Python and Django with our libraries load, and some room: a new large library is a decision.
MOST_MODULES: Final = 2_100
EMBEDDED: Final = {"DEBUG": "true", "SECRET_KEY": "k" * 60, "ENV_FILE": os.devnull}
TELL: Final = "import gc, json, sys; print(json.dumps([sorted(sys.modules), gc.get_freeze_count()]))"
SET_UP: Final = (
    "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'btf_backend.settings'; "
    "django.setup(); print(*sys.modules)"
)
CHECK: Final = "import manage; sys.argv = ['manage.py', 'check']; manage.main()"


def told_by(code: str) -> list[str]:
    """Return what a fresh Python prints, with what TELL says after that code in the last line."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", f"{code}\n{TELL}"],
        cwd=PROJECT,
        env={**kept, **EMBEDDED},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def modules_of_tasks() -> set[str]:
    """Return which modules of the product make tasks."""
    files = [path for path in PROJECT.glob("[!.]*/**/*.py") if "tests" not in path.parts]
    makers = [path.relative_to(PROJECT) for path in files if "\n@background(" in path.read_text()]
    return {".".join(path.with_suffix("").parts) for path in makers}


class ImportTests(SimpleTestCase):
    def assert_light(self, modules: list[str]) -> None:
        self.assertEqual({name: when for name, when in LATER.items() if name in modules}, {})
        self.assertLess(len(modules), MOST_MODULES)

    def test_a_server_loads_all_that_it_needs_before_it_serves_and_nothing_else(self) -> None:
        for entry in ("wsgi", "asgi"):
            with self.subTest(entry):
                modules, frozen = json.loads(told_by(f"import btf_backend.{entry}")[-1])

                self.assert_light(modules)
                self.assertIn("btf_backend.urls", modules)
                self.assertGreater(frozen, MOST_MODULES, "what is loaded is not searched for garbage")

    def test_a_start_loads_every_task_and_a_check_nothing_that_it_does_not_look_at(self) -> None:
        """Whoever looks for lost tasks knows the limit of each."""
        told = told_by(f"{SET_UP}; {CHECK}")

        self.assert_light(json.loads(told[-1])[0])
        makers = modules_of_tasks()
        self.assertEqual(makers - set(told[0].split()), set())
        self.assertIn("core.uploads.tasks", makers)
