"""Backups that lack what rows name: told every night, until an operator accepts the loss (SAFETY R19)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from unittest import skipUnless
from unittest.mock import patch

from django.core.files.storage import default_storage
from django.core.management import CommandError
from django.db import DatabaseError, connection

from core.models import Upload
from core.recovery.folders import alone_in, whole_backups
from core.tests.recovering import RecoveryCase, store

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
LOST = "The new backup is there, but: 1 files that rows name are missing or of another size, such as "


@on_postgresql
class LossTests(RecoveryCase):
    def setUp(self) -> None:
        super().setUp()
        for key in ("uploads/a.txt", "uploads/b.txt"):
            store(key)

    def live(self, key: str) -> Path:
        return Path(default_storage.path(key))

    def known(self) -> str:
        return (self.target / "known-losses.txt").read_text()

    def backups(self) -> int:
        return len(whole_backups(self.target))

    def test_what_no_backup_has_is_told_every_night_until_it_is_accepted(self) -> None:
        """Nothing is to be put back: it must not keep erased people in old backups for ever."""
        self.live("uploads/a.txt").unlink()
        for nights in (1, 2, 3):
            self.back_up_wrongly(f"{LOST}uploads/a.txt. No older", keep=1)
            self.assertEqual(self.backups(), nights)

        said = self.run_backup(accept_losses=True)

        self.assertIn("accepted: uploads/a.txt\naccepted as lost in ", said)
        self.assertEqual(self.known(), "uploads/a.txt\n")
        self.assertEqual(self.backups(), 3)
        self.assertIn("files that rows name and nobody has: 1\n", self.run_backup(keep=1))
        self.assertEqual(self.backups(), 1)

    def test_a_new_folder_with_none_of_the_files_fails_every_night(self) -> None:
        shutil.rmtree(self.live("uploads"))

        for _ in range(3):
            self.back_up_wrongly("The new backup is there, but: 2 files", keep=1)
        self.assertEqual(self.backups(), 3)

    def test_what_must_not_come_back_is_accepted_though_an_older_backup_has_it(self) -> None:
        good = self.back_up().path
        self.live("uploads/a.txt").unlink()
        self.back_up_wrongly(f"uploads/a.txt. {good.name} has 1 of them: put them back from there.", keep=1)

        said = self.run_backup(accept_losses=True)

        self.assertIn(f": 1. {good.name} has 1 of them: put them back from there.\n", said)
        self.run_backup(keep=1)
        self.assertFalse(good.exists())

    def test_another_loss_is_told_beside_accepted_ones(self) -> None:
        self.live("uploads/a.txt").unlink()
        self.back_up_wrongly(LOST)
        self.run_backup(accept_losses=True)
        self.live("uploads/b.txt").write_bytes(b"short")

        self.back_up_wrongly(f"{LOST}uploads/b.txt", keep=1)

        self.assertEqual(self.backups(), 2)
        self.run_backup(accept_losses=True)
        self.assertEqual(self.known(), "uploads/a.txt\nuploads/b.txt\n")
        self.run_backup(keep=1)
        self.assertEqual(self.backups(), 1)

    def test_what_comes_back_and_is_lost_again_is_told_again(self) -> None:
        """Accepted while a disk was away, it would never be told when it is lost."""
        self.live("uploads/a.txt").rename(self.live("uploads/away"))
        self.back_up_wrongly(LOST)
        self.run_backup(accept_losses=True)
        self.live("uploads/away").rename(self.live("uploads/a.txt"))
        self.run_backup()
        self.assertEqual(self.known(), "")
        self.live("uploads/a.txt").unlink()

        self.back_up_wrongly(f"{LOST}uploads/a.txt")

    def test_a_line_by_hand_accepts_one_file_alone(self) -> None:
        for key in ("uploads/a.txt", "uploads/b.txt"):
            self.live(key).unlink()
        (self.target / "known-losses.txt").write_bytes(b"uploads/b.txt\r\n\n\xe9\n")

        self.back_up_wrongly(f"{LOST}uploads/a.txt")
        self.assertEqual(self.known(), "uploads/b.txt\n")

    def test_a_list_that_cannot_be_read_accepts_nothing_and_ends_no_backup(self) -> None:
        self.live("uploads/a.txt").unlink()
        (self.target / "known-losses.txt").mkdir()

        self.back_up_wrongly("The new backup is there, but: known-losses.txt cannot be read: ", keep=1)
        with self.assertRaisesMessage(CommandError, "Nothing was accepted: known-losses.txt cannot be read"):
            self.run_backup(accept_losses=True)

    def test_a_run_that_was_killed_before_it_could_tell_has_told_the_manifest(self) -> None:
        self.live("uploads/a.txt").unlink()
        with (
            patch("core.recovery.backup.write_known", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.back_up(keep=1)

        (made,) = whole_backups(self.target)
        said = json.loads((made / "manifest.json").read_text())["files"]
        self.assertEqual(said["lost"], {"uploads/a.txt": 22})
        self.back_up_wrongly(f"{LOST}uploads/a.txt", keep=1)

    def test_a_database_that_goes_before_the_losses_are_known_makes_no_backup(self) -> None:
        self.live("uploads/a.txt").unlink()

        with patch("core.recovery.backup.still_named", side_effect=DatabaseError("gone")):
            self.back_up_wrongly("There is no new backup: the database refuses (DatabaseError).")

        self.assertEqual([path.name for path in self.target.iterdir()], [".lock"])

    def test_nothing_is_accepted_without_a_backup_that_tells_it(self) -> None:
        for target in (self.target, self.target / "nowhere"):
            self.target = target
            with self.assertRaisesMessage(CommandError, "no backup" if target.exists() else "is no folder"):
                self.run_backup(accept_losses=True)
            self.assertEqual(target.exists(), target.name != "nowhere")
        self.target = self.target.parent
        made = self.back_up().path
        self.assertIn(f"accepted as lost in {made.name}: 0.\n", self.run_backup(accept_losses=True))
        self.assertFalse((self.target / "known-losses.txt").exists())
        said = json.loads((made / "manifest.json").read_text())
        del said["files"]["lost"]
        (made / "manifest.json").write_text(json.dumps(said))
        with self.assertRaisesMessage(CommandError, "does not tell what is lost: make a new one first"):
            self.run_backup(accept_losses=True)
        with alone_in(self.target), self.assertRaisesMessage(CommandError, "try again after it"):
            self.run_backup(accept_losses=True)

    def test_a_row_that_goes_takes_its_loss_along(self) -> None:
        self.live("uploads/a.txt").unlink()
        self.back_up_wrongly(LOST)
        self.run_backup(accept_losses=True)
        Upload.objects.filter(key="uploads/a.txt").delete()

        self.run_backup(keep=1)

        self.assertEqual((self.known(), self.backups()), ("", 1))

    def test_the_script_accepts(self) -> None:
        self.live("uploads/a.txt").unlink()
        self.back_up_wrongly(LOST)

        done = self.script("backup.sh", str(self.target), "--accept-losses")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.known(), "uploads/a.txt\n")
        self.assertEqual((self.target / "known-losses.txt").stat().st_mode & 0o777, 0o600)
