"""A real process with a real environment starts, or says in one line why not (B16, D16)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from django.conf import settings
from django.test import SimpleTestCase, tag

WSGI, ASGI = ("-c", "import btf_backend.wsgi"), ("-c", "import btf_backend.asgi")
CLOSED = ("-c", f"{ASGI[1]}; from django.conf import settings; assert not settings.API_DOCS_PUBLIC")
OPEN = ("-c", f"{WSGI[1]}; from django.conf import settings; assert settings.API_DOCS_PUBLIC")
CHECK = ("manage.py", "check")
DEPLOY = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
KEY: Final = "a-key-of-the-tests-" * 4
PRODUCTION: Final = {
    "SECRET_KEY": KEY,
    "DEBUG": "false",
    "ALLOWED_HOSTS": "hub.example.org",
    "DB_NAME": "btf_db",
    "DB_PASSWORD": "unused",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "FRONTEND_BASE_URL": "https://hub.example.org",
    "CORS_ALLOWED_ORIGINS": "https://hub.example.org",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "smtp.example.org",
}
EMBEDDED: Final = {"SECRET_KEY": KEY}
WITHOUT_KEY: Final = {**PRODUCTION, "SECRET_KEY": ""}
# Command, environment, and the words of the refusal; none where it must start. What each check
# refuses is told by core.tests.test_checks: a process costs a second, a function nothing.
CASES: Final[dict[str, tuple[tuple[str, ...], dict[str, str], str]]] = {
    "production, its documentation closed": (CLOSED, PRODUCTION, ""),
    "production passes every deployment check": (DEPLOY, PRODUCTION, ""),
    "a laptop that says so, its documentation open": (OPEN, {**EMBEDDED, "DEBUG": "True"}, ""),
    "a laptop by mistake over wsgi": (WSGI, EMBEDDED, "embedded profile"),
    "a laptop without debug": (WSGI, {**EMBEDDED, "DEBUG": "False"}, "DB_NAME"),
    "no key": (WSGI, WITHOUT_KEY, "SECRET_KEY must be set"),
    "no key for a command": (CHECK, WITHOUT_KEY, "SECRET_KEY must be set"),
    "a broken number": (WSGI, {**PRODUCTION, "TRUSTED_PROXY_COUNT": "one"}, "TRUSTED_PROXY_COUNT"),
    "a broken number for a command": (CHECK, {"EMAIL_PORT": "smtp"}, "EMAIL_PORT must be a whole number"),
    "a broken truth value": (CHECK, {"DEBUG": "maybe"}, "DEBUG must be true or false"),
    "a broken file": (CHECK, {"ENV_FILE": "{folder}/broken.env"}, "broken.env, line 2"),
    "a broken file over asgi": (ASGI, {"ENV_FILE": "{folder}/broken.env"}, "broken.env, line 2"),
    "a file that is whole": (WSGI, {"ENV_FILE": "{folder}/whole.env"}, ""),
}
DOUBTFUL: Final = {**PRODUCTION, "EMAIL_BACKEND": "", "FRONTEND_BASE_URL": ""}
CASES["mail to nobody"] = (WSGI, DOUBTFUL, "")
SEVERAL_REASONS: Final = {"a laptop without debug"}


@tag("served")
class StartTests(SimpleTestCase):
    results: dict[str, subprocess.CompletedProcess[str]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
            (Path(folder) / "broken.env").write_text("DEBUG=true\nthis is no line\n")
            lines = [f"{name}={value}  # why" for name, value in PRODUCTION.items()]
            (Path(folder) / "whole.env").write_text("\n".join(["# A comment", *lines]))
            runs = {name: pool.submit(cls.start, folder, *case[:2]) for name, case in CASES.items()}
            cls.results = {name: run.result() for name, run in runs.items()}

    @staticmethod
    def start(
        folder: str, command: tuple[str, ...], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run Python with that environment and nothing else of ours."""
        environment = {"PATH": os.environ["PATH"], "ENV_FILE": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {name: value.format(folder=folder) for name, value in variables.items()}
        return subprocess.run(  # noqa: S603 - our own interpreter and words
            [sys.executable, *command],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def test_what_is_safe_starts_without_a_word(self) -> None:
        for name, (_, environment, words) in CASES.items():
            if not words and environment is not DOUBTFUL:
                with self.subTest(name):
                    result = self.results[name]
                    self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_what_is_not_is_refused_by_name_in_one_line(self) -> None:
        """B16."""
        for name, (_, _, words) in CASES.items():
            if words:
                with self.subTest(name):
                    result = self.results[name]

                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(words, result.stderr)
                    self.assertNotIn("Traceback", result.stderr)
                    if name not in SEVERAL_REASONS:
                        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_what_cannot_be_meant_starts_with_a_warning(self) -> None:
        result = self.results["mail to nobody"]

        self.assertEqual(result.returncode, 0)
        for variable in ("EMAIL_BACKEND", "FRONTEND_BASE_URL", "PUBLIC_BASE_URL"):
            self.assertIn(f"Warning: {variable}", result.stderr)

    def test_every_reason_is_told_at_once(self) -> None:
        reasons = self.results["a laptop without debug"].stderr

        for variable in ("DB_NAME", "REDIS_URL", "CHANNEL_REDIS_URL"):
            self.assertIn(variable, reasons)

    def test_no_refusal_tells_the_key(self) -> None:
        for name, result in self.results.items():
            with self.subTest(name):
                self.assertNotIn(KEY[:20], result.stdout + result.stderr)
