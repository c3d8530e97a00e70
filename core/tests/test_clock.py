"""The clock: due jobs are started without a cron, by servers and commands as they are run."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import patch

from django.apps import apps
from django.conf import settings
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from django.test import SimpleTestCase

from btf_backend import stores
from core import clock
from core.management.commands import runserver

if TYPE_CHECKING:
    from collections.abc import Callable

MANAGE = (sys.executable, "-W", "error", str(settings.BASE_DIR / "manage.py"))
STARTED = "SELECT count(*) FROM core_periodicrun WHERE name = 'prune_tasks' AND last_result LIKE '%deleted%'"


class ClockTests(SimpleTestCase):
    def keep_time(self, stop: Event, look: Callable[[], list[str]]) -> None:
        with patch.object(clock, "beat", look), patch.object(clock, "BEAT_SECONDS", 0.01):
            clock.keep_time(stop)

    def test_it_looks_again_and_again_until_it_is_told_to_stop(self) -> None:
        stop, looks = Event(), []

        def look() -> list[str]:
            looks.append(1)
            if len(looks) == 3:
                stop.set()
            return ["count"]

        with self.assertLogs("core.clock", "INFO") as logs:
            self.keep_time(stop, look)

        self.assertEqual([record.getMessage() for record in logs.records], ["periodic_job_started"] * 3)

    def test_it_outlasts_a_database_that_is_away(self) -> None:
        stop, outcomes = Event(), iter([OperationalError("gone"), OperationalError("gone"), None])

        def look() -> list[str]:
            outcome = next(outcomes)
            if outcome:
                raise outcome
            stop.set()
            return []

        with self.assertLogs("core.clock", "WARNING") as logs:
            self.keep_time(stop, look)

        self.assertEqual([vars(record)["fault"] for record in logs.records], ["OperationalError"] * 2)

    def test_what_is_no_fault_of_the_database_is_not_swallowed(self) -> None:
        with patch.object(clock, "beat", side_effect=ValueError), self.assertRaises(ValueError):
            clock.keep_time(Event())

    def test_the_process_that_serves_keeps_time_and_no_other(self) -> None:
        with (
            patch.object(runserver, "start_clock") as start,
            patch("daphne.management.commands.runserver.Command.inner_run") as serve,
            patch("django.core.management.commands.runserver.autoreload.run_with_reloader") as watch,
        ):
            command = runserver.Command()
            options = {"addrport": "1", "use_ipv6": False, "use_reloader": True, "use_asgi": True}
            with patch.object(settings, "DEBUG", new=True):
                command.handle(**options)
            watch.assert_called_once()
            start.assert_not_called()

            command.inner_run(None)
            start.assert_called_once_with()
            serve.assert_called_once()


def environment_of(database: Path) -> dict[str, str]:
    """Return the environment of a laptop whose database is that file; its settings are written beside it."""
    unmigrated = dict.fromkeys(app.label for app in apps.get_app_configs())
    (database.parent / "settings_here.py").write_text(
        "from btf_backend.settings import *\n"
        f"DATABASES = {{'default': stores.sqlite(BASE_DIR / {str(database)!r})}}\n"
        f"MIGRATION_MODULES = {unmigrated}\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(database.parent),
        "DJANGO_SETTINGS_MODULE": "settings_here",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "k" * 50,
        "DEBUG": "true",
    }


class ProcessTests(SimpleTestCase):
    """Real processes on a laptop's database: on a copy each of one whose tables are as the models have them.

    To go through every migration takes seconds.
    """

    empty: Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.empty = Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "db.sqlite3")
        database = ConnectionHandler({"default": {}, "laptop": stores.sqlite(cls.empty)})["laptop"]
        with closing(database), database.schema_editor(atomic=False) as tables:
            for model in apps.get_models():
                if model._meta.can_migrate(database):
                    tables.create_model(model)

    def setUp(self) -> None:
        self.database = Path(self.enterContext(tempfile.TemporaryDirectory()), "db.sqlite3")
        shutil.copy(self.empty, self.database)
        self.environment = environment_of(self.database)

    def started(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*MANAGE, *words], env=self.environment, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def has_run(self) -> bool:
        with closing(sqlite3.connect(self.database, timeout=5)) as database:
            return bool(database.execute(STARTED).fetchone()[0])

    def wait_until_it_has_run(self) -> None:
        deadline = time.monotonic() + 40
        while not self.has_run() and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertTrue(self.has_run())

    def test_the_development_server_runs_what_is_due(self) -> None:
        self.assertFalse(self.has_run())
        self.started("runserver", "--noreload", "127.0.0.1:0")
        self.wait_until_it_has_run()

    def test_the_command_runs_until_sigterm_and_ends_well(self) -> None:
        process = self.started("run_due_jobs", "--forever")
        self.wait_until_it_has_run()

        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), 0)
