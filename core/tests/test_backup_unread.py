"""Backups of a storage that does not give every file, and without a database (SAFETY R19)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DataError, InternalError, OperationalError, connection

from core.management.commands.backup import reason_of
from core.recovery.copies import FAULTS_IN_A_ROW
from core.recovery.files import stored_files
from core.recovery.folders import whole_backups
from core.refusals import Unavailable
from core.tests.recovering import RecoveryCase, store
from core.tests.s3 import BUCKET, S3Server, stored_at
from core.uploads.files import open_file

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
BROKEN = OSError(5, "Input/output error")
NOT_OURS = PermissionError(13, "Permission denied")


def unread(error: Exception, *keys: str) -> AbstractContextManager[Any]:
    """Have the storage refuse some files."""

    def refuse(key: str) -> Any:
        if key in keys:
            raise error
        return open_file(key)

    return patch("core.recovery.files.open_file", refuse)


@on_postgresql
class UnreadTests(RecoveryCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch("core.recovery.files.PAUSE_SECONDS", 0))
        store("uploads/a.txt")

    def files(self, backup: Path) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((backup / "manifest.json").read_text())["files"]
        return said

    def test_a_file_that_cannot_be_read_is_told_and_the_database_is_kept(self) -> None:
        store("uploads/b.txt")
        good = self.back_up().path
        for number, error in enumerate((BROKEN, NOT_OURS, ClientError({}, "GetObject"), Unavailable())):
            key = f"uploads/new{number}.txt"
            store(key)
            with self.subTest(error), unread(error, key):
                said = self.back_up_wrongly(
                    f"The new backup is there, but: 1 files that rows name are missing or"
                    f" of another size, such as {key}. No older",
                    keep=1,
                )

            last = whole_backups(self.target)[-1]
            self.assertEqual(list(self.files(last)["unreadable"]), [key])
            self.assertIn(f"cannot be read: 1, such as {key}: ", said)
            self.assertIn("files that cannot be read: 1\n", said)
            self.assertEqual(set(self.files(last)["lost"]), {key})
            self.assertFalse((last / "files" / key).exists())
            self.assertTrue((last / "files/uploads/b.txt").exists())
            self.assertTrue(good.exists())
        self.make_other()
        self.assertIn("equal to what was kept: ", self.restore_there(last))

    def test_a_file_that_no_row_names_ends_no_backup_with_1(self) -> None:
        Path(default_storage.path("uploads/scratch.txt")).write_bytes(b"x")

        with unread(NOT_OURS, "uploads/scratch.txt"):
            said = self.run_backup()

        self.assertIn("cannot be read: 1, such as uploads/scratch.txt: [Errno 13] Permission denied\n", said)

    def test_one_that_can_be_read_the_second_time_is_there(self) -> None:
        store("uploads/b.txt")
        faults = [BROKEN] * 3

        def stutter(key: str) -> Any:
            if key == "uploads/b.txt" and faults:
                raise faults.pop()
            return open_file(key)

        with patch("core.recovery.files.open_file", stutter):
            made = self.back_up()

        self.assertEqual((made.manifest["files"]["unreadable"], made.faults), ({}, []))
        self.assertEqual((made.path / "files/uploads/b.txt").read_bytes(), b"a photo of agar plates")

    def new_around_x(self) -> list[str]:
        """Store twenty files, half of them before what lies in x: files come before folders."""
        half = FAULTS_IN_A_ROW // 2
        keys = [f"{folder}/{number}.txt" for folder in ("uploads", "uploads/x/y") for number in range(half)]
        for key in keys:
            store(key)
        return keys

    def test_a_storage_that_gives_nothing_is_down_and_makes_no_backup(self) -> None:
        """What is shared with the backup before is not read: it says nothing of the storage."""
        store("uploads/x/shared.txt")
        good = self.back_up().path
        keys = self.new_around_x()

        with unread(BROKEN, *keys):
            self.back_up_wrongly(
                "There is no new backup: 20 files in a row cannot be read: [Errno 5]", keep=1
            )
        self.assertEqual(whole_backups(self.target), [good])

    def test_a_storage_that_gives_a_file_between_is_not_down(self) -> None:
        self.back_up()
        keys = self.new_around_x()
        store("uploads/x/new.txt")

        with unread(BROKEN, *keys):
            self.back_up_wrongly("The new backup is there, but: 20 files")

    def test_files_of_somebody_else_say_nothing_of_the_storage(self) -> None:
        keys = [f"uploads/{number:02}.txt" for number in range(FAULTS_IN_A_ROW + 1)]
        for key in keys:
            store(key)

        with unread(NOT_OURS, *keys):
            self.back_up_wrongly(f"The new backup is there, but: {len(keys)} files")

    def test_a_disk_of_backups_that_is_full_makes_no_backup(self) -> None:
        """Only reading may fail: what cannot be written is no fault of one file."""
        real = Path.open

        def full(path: Path, mode: str = "r", **options: Any) -> Any:
            if mode == "wb":
                raise OSError(28, "No space left on device")
            return real(path, mode, **options)

        with patch("pathlib.Path.open", full):
            self.back_up_wrongly("There is no new backup: [Errno 28]")

        self.assertEqual(whole_backups(self.target), [])

    def listing(self, folder: str) -> AbstractContextManager[Any]:
        """Have a folder be no one's to look into: the superuser may look into all."""
        real = os.scandir

        def scandir(path: Any) -> Any:
            if str(path) == folder:
                raise PermissionError(13, "Permission denied", folder)
            return real(path)

        return patch("os.scandir", scandir)

    def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_is_kept(self) -> None:
        store("events/covers/b.txt")

        with self.listing(default_storage.path("events")):
            said = self.back_up_wrongly("The new backup is there, but: 1 files", keep=1)

        self.assertIn("cannot be read: 1, such as events: Permission denied\n", said)
        (last,) = whole_backups(self.target)
        self.assertTrue((last / "files/uploads/a.txt").exists())

    def test_a_root_that_cannot_be_listed_makes_no_backup(self) -> None:
        with self.listing(str(settings.MEDIA_ROOT)):
            self.back_up_wrongly("There is no new backup: [Errno 13]")

        self.assertEqual(whole_backups(self.target), [])

    def test_what_a_disk_of_its_own_has_beside_the_files_is_left_alone(self) -> None:
        Path(settings.MEDIA_ROOT, "lost+found").mkdir()
        Path(settings.MEDIA_ROOT, "uploads/lost+found").mkdir()
        for key in ("lost+found/#12", "uploads/lost+found/b.txt"):
            Path(settings.MEDIA_ROOT, key).write_bytes(b"x")

        with self.listing(default_storage.path("lost+found")):
            self.assertNotIn("cannot be read: 1", self.run_backup())
            self.assertEqual(
                {file.key for file in stored_files()}, {"uploads/a.txt", "uploads/lost+found/b.txt"}
            )

    def test_an_object_of_the_name_of_a_folder_ends_no_backup(self) -> None:
        server = S3Server()
        self.addCleanup(server.end)
        with stored_at(server.base):
            store("uploads/b.txt")
            store("uploads/a.txt.d/c.txt")
            for key in ("uploads", "uploads/a.txt.d"):
                server.client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
            for _ in range(2):
                made = self.back_up()
                self.assertEqual(made.manifest["files"]["left_out"], ["'uploads'", "'uploads/a.txt.d'"])
                self.assertEqual(made.manifest["files"]["missing"], ["uploads/a.txt"])
                self.assertEqual((made.path / "files/uploads/b.txt").read_bytes(), b"a photo of agar plates")
                self.assertTrue((made.path / "files/uploads/a.txt.d/c.txt").is_file())


@on_postgresql
class NoDatabaseTests(RecoveryCase):
    def test_a_database_that_is_away_or_refuses_is_told_in_a_line_without_the_password(self) -> None:
        away = {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}
        for name, settings_there, saying in (
            ("away", away, "refused"),
            ("wrong password", {"DB_PASSWORD": "not-the-secret"}, "password authentication failed"),
        ):
            for option, what in (
                ("--keep=3", "There is no new backup"),
                ("--erased-only", "erased-people.txt is as"),
            ):
                with self.subTest(name, option=option), patch.dict(os.environ, settings_there):
                    done = self.script("backup.sh", str(self.target), option)

                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    (line,) = done.stderr.splitlines()
                    self.assertIn(f"CommandError: {what}", line)
                    self.assertIn("the database fails (OperationalError): ", line)
                    self.assertIn(saying, line)
                    self.assertNotIn("not-the-secret", line)
        self.assertEqual(whole_backups(self.target), [])

    def test_other_faults_of_a_database_are_told_by_their_kind_alone(self) -> None:
        for error in (DataError("Ada's diary"), InternalError("Ada's diary")):
            with patch("core.recovery.backup.measure.content", side_effect=error):
                self.back_up_wrongly(
                    f"There is no new backup: the database refuses ({type(error).__name__})."
                )
            self.assertNotIn("Ada", reason_of(error))
        with patch.dict(connection.settings_dict, PASSWORD="not-the-secret"):
            self.assertIn(": it is ***", reason_of(OperationalError("it is not-the-secret")))
        self.assertEqual(list(self.target.glob(".partial-*")), [])
