"""Backups: whole or not there, the database as of one moment, and every file that it names (SAFETY R19)."""

from __future__ import annotations

import json
import stat
import subprocess
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from core.models import Upload
from core.recovery import programs
from core.recovery.files import digest_of
from core.recovery.folders import LEDGER, BackupRunning, alone_in, files_of, whole_backups
from core.tests.recovering import RecoveryCase, store
from users.models import User
from users.tests.factories import make_user

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")


@on_postgresql
class BackupTests(RecoveryCase):
    def names(self) -> list[str]:
        return sorted(path.name for path in self.target.iterdir() if not path.name.startswith(".lock"))

    def made_at(self, hours: int, **options: Any) -> Path:
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
            return self.back_up(**options).path

    def test_it_holds_the_database_the_files_and_what_they_are(self) -> None:
        make_user()
        upload = store("uploads/a.txt")

        made = self.back_up()

        self.assertEqual(
            sorted(path.name for path in made.path.iterdir()),
            ["database.dump", "files", "files.tsv", "manifest.json"],
        )
        said = json.loads((made.path / "manifest.json").read_text())
        self.assertEqual((said["tables"]["users"][0], said["tables"]["core_upload"][0]), (1, 1))
        self.assertEqual(said["database"]["sha256"], digest_of(made.path / "database.dump"))
        self.assertEqual((said["files"]["count"], said["files"]["bytes"]), (1, upload.size))
        self.assertEqual(said["files"]["missing"], [])
        self.assertIn("core.0002_audit_is_append_only", said["migrations"])
        self.assertEqual((made.path / "files/uploads/a.txt").read_bytes(), b"a photo of agar plates")

    def test_nobody_else_may_read_it(self) -> None:
        store("uploads/a.txt")
        out = StringIO()
        call_command("backup", str(self.target), stdout=out)

        (path,) = whole_backups(self.target)
        for each in (path, *path.rglob("*"), self.target / LEDGER):
            with self.subTest(each.name):
                self.assertEqual(stat.S_IMODE(each.stat().st_mode), 0o700 if each.is_dir() else 0o600)
        self.assertIn("files: 1, 22 bytes\n", out.getvalue())
        self.assertIn("files that rows name and nobody has: 0\n", out.getvalue())

    def test_the_next_one_shares_what_has_not_changed(self) -> None:
        store("uploads/same.txt")
        store("uploads/new.txt", b"short")
        first = self.made_at(0)
        default_storage.delete("uploads/new.txt")
        Upload.objects.filter(key="uploads/new.txt").delete()
        store("uploads/new.txt", b"other")
        store("uploads/another.txt")

        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=True):
            second = self.back_up()

        self.assertEqual((second.linked, second.copied), (1, 2))
        same, new = (path / "files/uploads/same.txt" for path in (first, second.path))
        self.assertEqual(same.stat().st_ino, new.stat().st_ino)
        self.assertEqual((first / "files/uploads/new.txt").read_bytes(), b"short")
        self.assertEqual((second.path / "files/uploads/new.txt").read_bytes(), b"other")
        self.assertEqual(files_of(first)["uploads/same.txt"], files_of(second.path)["uploads/same.txt"])

    def test_older_ones_go_and_what_they_shared_stays(self) -> None:
        store("uploads/a.txt")
        self.made_at(0)
        self.made_at(1)
        third = self.made_at(2, keep=2)

        self.assertEqual(len(whole_backups(self.target)), 2)
        self.assertEqual((third / "files/uploads/a.txt").read_bytes(), b"a photo of agar plates")

    def test_the_new_one_is_the_last_whatever_the_clock_says(self) -> None:
        """Two within a second had one name, and after the clock was set back the new one would go first."""
        first = self.made_at(1)
        with time_machine.travel(timezone.now(), tick=False):
            self.back_up()
            made = self.back_up(keep=2)

        self.assertEqual(whole_backups(self.target)[-1], made.path)
        self.assertEqual(made.rotated, [first.name])

    def test_one_is_kept_at_least_and_what_is_not_whole_does_not_count(self) -> None:
        broken = self.target / "29990101T000000Z"
        broken.mkdir()
        for hours in range(2):
            self.made_at(hours, keep=1)

        self.assertEqual(len(whole_backups(self.target)), 1)
        self.assertTrue(broken.exists())
        for refused in ("0", "-1"):
            with self.assertRaisesMessage(CommandError, "1 or more"):
                call_command("backup", str(self.target), keep=int(refused))

    def test_one_that_fails_leaves_nothing_and_takes_nothing(self) -> None:
        store("uploads/a.txt")
        self.made_at(0)
        before = self.names()
        faults: dict[str, Any] = {
            "pg_dump": patch.dict(connection.settings_dict, PASSWORD="wrong"),
            "storage": patch("core.recovery.copies.stored_files", side_effect=OSError("the disk is away")),
            "disk": patch("core.recovery.backup.write_list", side_effect=OSError("no space left")),
        }
        store("uploads/b.txt")
        for name, fault in faults.items():
            with (
                self.subTest(name),
                fault,
                self.assertRaisesMessage(CommandError, "There is no new backup"),
            ):
                call_command("backup", str(self.target), keep=1, stdout=StringIO())
            self.assertEqual(self.names(), before)

    def test_what_a_killed_run_left_is_cleared_away_and_never_looks_whole(self) -> None:
        left = self.target / ".partial-20260101T000000Z"
        left.mkdir()

        self.assertEqual(whole_backups(self.target), [])
        self.back_up()

        self.assertFalse(left.exists())

    def test_two_do_not_write_into_one_folder_at_once(self) -> None:
        with alone_in(self.target), self.assertRaises(BackupRunning):
            self.back_up()

    def test_a_file_whose_row_goes_while_the_dump_is_made_is_there(self) -> None:
        """The dump has its row: without the first round it would have no file."""
        store("uploads/a.txt")
        real = programs.dump

        def dump(target: Path, *, snapshot: str) -> None:
            default_storage.delete("uploads/a.txt")
            real(target, snapshot=snapshot)

        with patch("core.recovery.programs.dump", dump):
            made = self.back_up()

        self.assertEqual(made.manifest["files"]["missing"], [])
        self.assertTrue((made.path / "files/uploads/a.txt").exists())

    def test_a_file_that_comes_while_the_files_are_copied_is_there(self) -> None:
        """Its row is in the dump, and the first round had gone by."""
        real = programs.dump

        def dump(target: Path, *, snapshot: str) -> None:
            Path(default_storage.path("uploads")).mkdir()
            Path(default_storage.path("uploads/late.txt")).write_bytes(b"late")
            real(target, snapshot=snapshot)

        with patch("core.recovery.programs.dump", dump):
            made = self.back_up()

        self.assertTrue((made.path / "files/uploads/late.txt").exists())

    def test_the_manifest_tells_the_moment_of_the_dump_and_not_of_its_end(self) -> None:
        real = programs.dump

        def dump(target: Path, *, snapshot: str) -> None:
            programs.run(
                ["psql", "-X", "-c", "INSERT INTO core_periodicrun VALUES ('late', now(), '{}', NULL)"]
            )
            real(target, snapshot=snapshot)

        with patch("core.recovery.programs.dump", dump):
            made = self.back_up()
        self.make_other()
        self.restore_there(made.path)

        self.assertEqual(made.manifest["tables"]["core_periodicrun"][0], 0)
        self.assertEqual(self.ask_there("SELECT count(*) FROM core_periodicrun"), 0)

    def test_no_password_stands_on_a_command_line(self) -> None:
        with patch("core.recovery.programs.subprocess.run", side_effect=subprocess.run) as run:
            self.back_up()

        commands = [" ".join(call.args[0]) for call in run.call_args_list]
        self.assertEqual(len(commands), 1)
        self.assertNotIn(connection.settings_dict["PASSWORD"], commands[0])


class EmbeddedTests(TestCase):
    @skipUnless(connection.vendor == "sqlite", "Of PostgreSQL there are backups.")
    def test_sqlite_is_refused_in_words(self) -> None:
        for command in (("backup", "/nowhere"), ("restore", "/nowhere")):
            with self.subTest(command), self.assertRaisesMessage(CommandError, "Backups are of PostgreSQL"):
                call_command(*command)
        self.assertFalse(User.objects.exists())
