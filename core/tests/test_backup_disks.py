"""Backups beside broken ones, over odd names, and on a disk that loses its power (SAFETY R19)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.test import SimpleTestCase

from core.recovery import programs
from core.recovery.backup import make_backup
from core.recovery.files import is_a_key
from core.recovery.folders import LEDGER, rotate, whole_backups
from core.tests.recovering import RecoveryCase, store
from core.tests.s3 import BUCKET, S3Server, stored_at

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
PHOTO = b"a photo of agar plates"
NO_KEYS = (
    "../../x",
    "/etc/x",
    "a//b",
    "a/./b",
    "a/",
    "",
    ".",
    "a\\b",
    "a\nb",
    "a\rb",
    "caf\udce9",
    "x" * 256,
)


@on_postgresql
class FormerTests(RecoveryCase):
    def test_a_file_that_was_cut_short_in_the_backup_before_is_copied_again(self) -> None:
        store("uploads/a.txt")
        former = self.back_up().path
        (former / "files/uploads/a.txt").write_bytes(PHOTO[:10])

        said = self.run_backup(keep=1)

        (last,) = whole_backups(self.target)
        self.assertEqual((last / "files/uploads/a.txt").read_bytes(), PHOTO)
        self.assertIn("copied again, cut short in the backup before: 1, such as uploads/a.txt\n", said)

    def test_a_backup_whose_list_cannot_be_read_ends_no_later_one(self) -> None:
        for key in ("uploads/a.txt", "uploads/b.txt"):
            store(key)
        faults = {
            "files.tsv": (b"", b"0a1b\t22", b"caf\xe9", b"0a1b\t22\t1\tuploads/other.txt\n"),
            "manifest.json": (b"{", b"[]", b"{}"),
        }
        for name, contents in faults.items():
            for content in contents:
                with self.subTest(name, content=content):
                    (self.back_up().path / name).write_bytes(content)
                    made = self.back_up()
                    self.assertEqual((made.copied, made.linked, made.faults), (2, 0, []))
                    self.assertIn("nothing is shared with the backup before: ", made.notes[0])

    def test_a_folder_of_a_name_that_is_no_moment_is_no_backup(self) -> None:
        odd = self.target / "20269999T999999Z"
        odd.mkdir()
        (odd / "manifest.json").write_text("{}")

        self.assertEqual(whole_backups(self.target), [])
        self.back_up(keep=1)
        self.assertTrue(odd.exists())


@on_postgresql
class RoundTests(RecoveryCase):
    def test_a_file_that_is_written_anew_and_goes_is_not_in_the_list(self) -> None:
        """A list that names a file which is not there is a backup that cannot be restored."""
        store("uploads/a.txt")
        real = programs.dump

        def dump(target: Path, *, snapshot: str) -> None:
            real(target, snapshot=snapshot)
            Path(default_storage.path("uploads/a.txt")).write_bytes(b"anew")
            self.enterContext(patch("core.recovery.files.open_file", side_effect=FileNotFoundError))

        with patch("core.recovery.programs.dump", dump):
            made = self.back_up()

        self.assertEqual(made.manifest["files"]["missing"], ["uploads/a.txt"])
        self.assertIn("0 files", self.restore_there(made.path, verify=True))


@on_postgresql
class NameTests(RecoveryCase):
    def test_a_file_of_an_odd_name_is_left_out_and_ends_no_backup(self) -> None:
        store("uploads/a.txt")
        for name in (b"caf\xe9.txt", b"a\nb.txt", b"a\\b.txt"):
            Path(settings.MEDIA_ROOT, os.fsdecode(name)).write_bytes(b"x")

        for _ in range(2):
            said = self.run_backup()
            self.assertIn("files: 1, 22 bytes\n", said)
            self.assertIn("left out, no names of ours: 3, such as 'a\\\\b.txt'\n", said)
        for backup in whole_backups(self.target):
            self.assertIn("1 files", self.restore_there(backup, verify=True))

    def test_an_object_whose_name_leads_out_of_the_backup_is_left_out(self) -> None:
        server = S3Server()
        self.addCleanup(server.end)
        with stored_at(server.base, location="live"):
            store("uploads/a.txt")
            for key in ("live/../../../x.txt", "live//x.txt"):
                server.client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
            made = make_backup(self.target)

        self.assertEqual(made.manifest["files"]["left_out"], ["'../../../x.txt'", "'/x.txt'"])
        self.assertEqual({path.name for path in self.target.rglob("*.txt")}, {"a.txt", LEDGER})


class KeyTests(SimpleTestCase):
    def test_a_key_is_one_line_and_one_path(self) -> None:
        for key in NO_KEYS:
            with self.subTest(ascii(key)):
                self.assertFalse(is_a_key(key))
        for key in (
            "a.txt",
            "uploads/0a.txt",
            "archives/0a_x1.zip",
            "by hand/Zellkultur für alle.pdf",
            "..a",
        ):
            with self.subTest(key):
                self.assertTrue(is_a_key(key))


@on_postgresql
class DiskTests(RecoveryCase):
    def test_every_file_and_folder_outlasts_a_power_cut_before_there_is_a_manifest(self) -> None:
        store("uploads/a.txt")
        store("events/covers/b.txt")
        synced: list[str] = []
        real = os.fsync

        def fsync(descriptor: int) -> None:
            synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
            real(descriptor)

        with patch("os.fsync", fsync):
            path = self.back_up().path

        partial = f"{path.parent}/.partial-{path.name}"
        wanted = {f"files/{name}" for name in ("uploads", "uploads/a.txt", "events", "events/covers")}
        wanted |= {"files", "files/events/covers/b.txt", "database.dump", "files.tsv", "manifest.json"}
        before = synced[: synced.index(partial)]
        self.assertEqual({os.path.relpath(name, partial) for name in before}, wanted)
        self.assertEqual(before[-1], f"{partial}/manifest.json")
        self.assertEqual(synced[-1], str(path.parent))

    def test_older_ones_that_cannot_be_deleted_are_told_and_the_new_one_is_there(self) -> None:
        store("uploads/a.txt")
        former = self.back_up().path
        stuck = patch("core.recovery.folders.shutil.rmtree", side_effect=PermissionError(13, "Not yours"))

        with stuck:
            for _ in range(2):
                self.back_up_wrongly("The new backup is there, but: .partial-", keep=1)
                self.assertEqual(len(whole_backups(self.target)), 1)
        self.assertFalse(former.exists())

        self.run_backup(keep=1)
        self.assertEqual(len(whole_backups(self.target)), 1)
        self.assertEqual(list(self.target.glob(".partial-*")), [])

    def test_one_that_cannot_even_be_renamed_is_told(self) -> None:
        former = self.back_up().path
        real = Path.rename

        def rename(path: Path, new: Path) -> Path:
            if path == former:
                raise PermissionError(1, "Not permitted")
            return real(path, new)

        with patch("pathlib.Path.rename", rename):
            self.back_up_wrongly(f"The new backup is there, but: {former.name} could not be deleted", keep=1)

        self.assertTrue(former.exists())

    def test_the_one_just_made_stays_whatever_the_names_of_the_others_say(self) -> None:
        ahead = self.target / "20300101T000000Z"
        self.back_up().path.rename(ahead)
        last = self.back_up(keep=1).path
        self.assertEqual(whole_backups(self.target), [last])

        later = last.with_name("20310101T000000Z")
        shutil.copytree(last, later)
        self.assertEqual(rotate(self.target, keep=1, made=last), [])

        self.assertEqual(whole_backups(self.target), [last])
