"""What people start from a shell: it works, or says in one line why not."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import skipUnless

import psycopg2
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import LiveServerTestCase, SimpleTestCase, override_settings

SCRIPTS = Path(settings.BASE_DIR) / "scripts"


def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a newcomer would; a variable given as blank is unset for it.

    Which Python and which virtual environment this suite itself runs in is not theirs to know.
    """
    merged = {**os.environ, "ENV_FILE": "/dev/null", "PYTHON": "", "VENV": "", **environment}
    return subprocess.run(  # noqa: S603 - our own scripts
        [str(SCRIPTS / name), *arguments],
        env={key: value for key, value in merged.items() if value},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


class RunTests(SimpleTestCase):
    def test_a_taken_port_is_one_line_with_the_way_out(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = taken.getsockname()[1]
            result = run("run.sh", PORT=str(port))

        self.assertEqual(result.returncode, 1)
        # A fresh clone first makes its environment, and says so.
        self.assertEqual(result.stderr.splitlines()[-1], f"Port {port} is taken: PORT={port + 1} make run.")

    def test_a_port_that_is_no_number_is_one_line(self) -> None:
        result = run("run.sh", PORT="eight")

        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("PORT must be a number", result.stderr)

    def test_a_missing_python_is_one_line(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            result = run("bootstrap.sh", "run", PYTHON="python9", VENV=f"{folder}/venv")

        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("Python 3.11 or newer is needed", result.stderr)

    def test_a_second_bootstrap_has_nothing_to_do(self) -> None:
        venv = os.environ.get("VENV", ".venv")
        if not (Path(settings.BASE_DIR) / venv / ".installed-dev").exists():
            self.skipTest("The suite was not started by scripts/test.sh.")

        result = run("bootstrap.sh", "dev", VENV=venv)

        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))


class SmokeTests(LiveServerTestCase):
    def setUp(self) -> None:
        caches["default"].clear()

    @skipUnless(shutil.which("curl"), "The smoke test needs curl.")
    @override_settings(API_DOCS_PUBLIC=True)
    def test_it_passes_on_a_healthy_server(self) -> None:
        result = run("smoke.sh", self.live_server_url)

        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertRegex(result.stdout.splitlines()[-1], r"^\d+ passed, 0 failed")

    @skipUnless(shutil.which("curl"), "The smoke test needs curl.")
    def test_it_fails_where_nobody_answers(self) -> None:
        result = run("smoke.sh", "http://127.0.0.1:9")

        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "smoke.sh: no server answers at http://127.0.0.1:9\n")

    def test_it_wants_an_address(self) -> None:
        result = run("smoke.sh")

        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))


@skipUnless(connection.vendor == "postgresql", "There is no server to set up.")
class SetUpDatabaseTests(SimpleTestCase):
    databases = {"default"}

    def setUp(self) -> None:
        given = connection.settings_dict
        name = f"hub_{uuid.uuid4().hex[:12]}"
        self.role = {"DB_NAME": name, "DB_USER": name, "DB_PASSWORD": "it's \\ $HOME #1 \"é"}
        self.environment = {
            **self.role,
            "DB_HOST": given["HOST"],
            "DB_PORT": str(given["PORT"]),
            "PGUSER": given["USER"],
            "PGPASSWORD": given["PASSWORD"],
        }
        self.addCleanup(self.drop)

    def drop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {self.role['DB_NAME']}")
            cursor.execute(f"DROP ROLE IF EXISTS {self.role['DB_USER']}")

    def sign_in(self) -> Any:
        return psycopg2.connect(
            dbname=self.role["DB_NAME"],
            user=self.role["DB_USER"],
            password=self.role["DB_PASSWORD"],
            host=self.environment["DB_HOST"],
            port=self.environment["DB_PORT"],
        )

    def test_role_and_database_are_made_once_and_open_by_the_password_which_is_not_shown(self) -> None:
        """B105 and its kin: the reference printed one, and dropped the database unasked."""
        for _ in range(2):
            result = run("setup_database.sh", **self.environment)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertNotIn("$HOME #1", result.stdout)

        with closing(self.sign_in()) as session, session.cursor() as cursor:
            cursor.execute("SHOW timezone")
            self.assertEqual(cursor.fetchone(), ("UTC",))
            cursor.execute("SHOW server_encoding")
            self.assertEqual(cursor.fetchone(), ("UTF8",))

        self.assert_a_superuser_is_warned_of()

    def assert_a_superuser_is_warned_of(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER ROLE {self.role['DB_USER']} SUPERUSER")

        result = run("setup_database.sh", **self.environment)

        self.assertEqual((result.returncode, result.stderr.count("\n")), (0, 1))
        self.assertIn("is a superuser", result.stderr)

    def test_without_a_password_it_says_so(self) -> None:
        result = run("setup_database.sh", **{**self.environment, "DB_PASSWORD": ""})

        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("DB_PASSWORD", result.stderr)
