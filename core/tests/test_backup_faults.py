"""Backups of a storage that is away, or has lost files: nothing good goes for them (SAFETY R19)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import CommandError
from django.db import connection

from core.models import Upload
from core.recovery import programs
from core.recovery.folders import whole_backups
from core.tests.recovering import RecoveryCase, store

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
PHOTO = b"a photo of agar plates"


@on_postgresql
class StorageTests(RecoveryCase):
    def setUp(self) -> None:
        super().setUp()
        for key in ("uploads/a.txt", "uploads/b.txt"):
            store(key)

    def live(self, key: str) -> Path:
        return Path(default_storage.path(key))

    def test_a_storage_that_is_away_makes_no_backup(self) -> None:
        good = self.back_up().path

        with self.settings(MEDIA_ROOT=f"{settings.MEDIA_ROOT}/away"):
            self.back_up_wrongly("There is no new backup: MEDIA_ROOT ", keep=1)

        self.assertEqual(whole_backups(self.target), [good])

    def test_a_fresh_installation_has_no_folder_yet_and_is_kept(self) -> None:
        Upload.objects.all().delete()

        with self.settings(MEDIA_ROOT=f"{settings.MEDIA_ROOT}/none_yet"):
            self.assertIn("files: 0, 0 bytes\n", self.run_backup())

    def test_a_disk_that_is_not_mounted_takes_no_older_backup_until_the_files_are_back(self) -> None:
        good = self.back_up().path
        shutil.rmtree(self.live("uploads"))

        said = (
            f"2 files that rows name are missing or of another size, such as uploads/a.txt. {good.name} has 2"
        )
        for nights in (2, 3):
            self.back_up_wrongly(said, keep=1)
            self.assertEqual(len(whole_backups(self.target)), nights)

        shutil.copytree(good / "files/uploads", self.live("uploads"))
        self.run_backup(keep=1)
        (last,) = whole_backups(self.target)
        self.assertEqual((last / "files/uploads/b.txt").read_bytes(), PHOTO)

    def test_a_file_that_is_not_of_the_size_of_its_row_is_told_and_keeps_the_whole_one(self) -> None:
        self.back_up()
        self.live("uploads/a.txt").write_bytes(b"")

        self.back_up_wrongly("The new backup is there, but: 1 files", keep=1)

        former, last = whole_backups(self.target)
        self.assertEqual((former / "files/uploads/a.txt").read_bytes(), PHOTO)
        said = json.loads((last / "manifest.json").read_text())["files"]
        self.assertEqual((said["missing"], said["damaged"]), ([], ["uploads/a.txt"]))

    def test_both_kinds_are_counted(self) -> None:
        self.live("uploads/a.txt").write_bytes(b"")
        self.live("uploads/b.txt").unlink()

        said = self.back_up_wrongly("The new backup is there, but: 2 files")

        self.assertIn("files that rows name and nobody has: 1\n", said)
        self.assertIn("files of another size than their rows say: 1\n", said)

    def test_what_was_deleted_while_the_backup_ran_is_no_loss(self) -> None:
        self.live("uploads/a.txt").unlink()
        real = programs.dump

        def dump(target: Path, *, snapshot: str) -> None:
            real(target, snapshot=snapshot)
            programs.run(["psql", "-X", "-c", "DELETE FROM core_upload WHERE key = 'uploads/a.txt'"])

        with patch("core.recovery.programs.dump", dump):
            made = self.back_up()

        self.assertEqual((made.manifest["files"]["missing"], made.faults), (["uploads/a.txt"], []))
        self.assertEqual(made.manifest["files"]["lost"], {})

    def test_the_script_ends_with_1_where_files_are_lost(self) -> None:
        self.make_other()
        self.restore_there(self.back_up().path)
        (Path(self.media) / "uploads/a.txt").unlink()

        done = self.script("backup.sh", str(self.target), "--keep", "1")

        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("The new backup is there, but: 1 files", done.stderr)
        self.assertEqual(len(whole_backups(self.target)), 2)


@on_postgresql
class PooledTests(RecoveryCase):
    def test_behind_a_pooler_it_says_where_it_must_go(self) -> None:
        with patch.dict(connection.settings_dict, DISABLE_SERVER_SIDE_CURSORS=True):
            with self.assertRaisesMessage(CommandError, "point DB_HOST and DB_PORT at PostgreSQL itself"):
                self.run_backup()
            self.assertIn("erased people noted: 0", self.run_backup(erased_only=True))

        self.assertEqual(whole_backups(self.target), [])
