"""Putting a backup back: equal to what was kept, but for whoever was erased since (SAFETY R19)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core.management import CommandError
from django.db import ProgrammingError, connection

from chat.tests.factories import make_message
from core import audit
from core.recovery.backup import make_backup
from core.recovery.files import digest_of
from core.tests.recovering import RecoveryCase, store
from core.tests.s3 import BUCKET, S3Server, stored_at
from groups.tests.factories import make_group
from users.tests.factories import make_admin, make_user

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")


@on_postgresql
class RestoreTests(RecoveryCase):
    def setUp(self) -> None:
        super().setUp()
        self.make_other()
        self.admin, self.ada = make_admin(), make_user(email="ada@example.org")
        group = make_group(members=[self.ada])
        for n in range(3):
            make_message(group=group, author=self.ada, text=f"Message {n}")
        store("uploads/a.txt")
        audit.record("signed_in", actor=self.ada)
        self.backup = self.back_up().path

    def refused(self, saying: str, **options: Any) -> None:
        with self.assertRaises(CommandError) as refusal:
            self.restore_there(self.backup, **options)

        self.assertIn(saying, str(refusal.exception))

    def tables_there(self) -> int:
        return int(self.ask_there("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))

    def change_manifest(self, **changes: Any) -> None:
        path = self.backup / "manifest.json"
        path.write_text(json.dumps(self.said() | changes))

    def said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self.backup / "manifest.json").read_text())
        return said

    def test_by_the_scripts_what_was_kept_is_there_again_and_can_be_kept_again(self) -> None:
        done = self.script("restore.sh", str(self.backup))

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("equal to what was kept: ", done.stdout)
        self.assertIn("migrations: none to run\nerased again: 0\n", done.stdout)
        messages = "SELECT string_agg(text, ',' ORDER BY id) FROM chat_message"
        self.assertEqual(self.ask_there(messages), "Message 0,Message 1,Message 2")
        uncounted = "SELECT COUNT(*) - (SELECT SUM(people) FROM users_headcount) FROM users"
        self.assertEqual(self.ask_there(uncounted), 0)
        self.assertEqual((Path(self.media) / "uploads/a.txt").read_bytes(), b"a photo of agar plates")

        done = self.script("backup.sh", str(self.target / "again"), "--keep", "3")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        (again,) = (self.target / "again").glob("*Z")
        for kind in ("tables", "structure"):
            self.assertEqual(json.loads((again / "manifest.json").read_text())[kind], self.said()[kind])

    def test_words_that_the_scripts_do_not_know_are_refused(self) -> None:
        for words, saying in (
            (("restore.sh",), "usage: "),
            (("backup.sh",), "usage: "),
            (("restore.sh", str(self.backup), "--force"), "usage: "),
            (("restore.sh", str(self.backup), "--erased", "/nowhere"), "takes the list"),
            (("restore.sh", "/nowhere"), "is no folder"),
        ):
            with self.subTest(words):
                done = self.script(*words)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(saying, done.stderr)

    def test_the_audit_log_is_guarded_there_and_its_old_rows_can_go(self) -> None:
        self.restore_there(self.backup)

        with self.assertRaisesMessage(ProgrammingError, "append-only"):
            self.ask_there("DELETE FROM core_auditevent")
        self.assertEqual(self.ask_there("SELECT forget_audit_events(730, 10)"), 0)
        owner = "SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE proname = 'forget_audit_events'"
        self.assertTrue(self.ask_there(owner).endswith("_audit_keeper"))
        anybody = "has_function_privilege('pg_monitor', 'forget_audit_events(integer, integer)', 'EXECUTE')"
        self.assertFalse(self.ask_there(f"SELECT {anybody}"))

    def test_a_database_that_holds_anything_is_refused_until_it_may_be_replaced(self) -> None:
        self.ask_there("CREATE TABLE precious (id integer)")

        self.refused("has 1 tables. With --yes-replace")
        self.assertEqual(self.tables_there(), 1)

        for _ in range(2):
            self.assertIn("equal to what was kept", self.restore_there(self.backup, yes_replace=True))
        self.assertTrue(self.ask_there("SELECT to_regclass('precious') IS NULL"))

    def test_a_storage_that_holds_anything_is_refused(self) -> None:
        (Path(self.media) / "photo.png").write_bytes(b"x")

        self.refused("The storage has files, such as photo.png")
        self.assertEqual(self.tables_there(), 0)

    def test_a_damaged_backup_touches_nothing(self) -> None:
        kept = self.target / "kept"
        shutil.copytree(self.backup, kept)
        for name, saying in (
            ("database.dump", "database.dump is missing, or is not what was kept"),
            ("files/uploads/a.txt", "or are not what was kept: uploads/a.txt"),
            ("files.tsv", "files.tsv is missing, or is not what was kept"),
            ("manifest.json", "is no whole backup"),
        ):
            path = self.backup / name
            path.write_bytes(path.read_bytes()[:-1])
            with self.subTest(name):
                self.refused(saying, yes_replace=True)
                self.assertEqual((self.tables_there(), list(Path(self.media).iterdir())), (0, []))
            shutil.rmtree(self.backup)
            shutil.copytree(kept, self.backup)
        (self.backup / "files/uploads/a.txt").unlink()
        self.refused("Nothing was touched: ")

    def test_a_load_that_fails_in_the_middle_leaves_what_was_there(self) -> None:
        self.ask_there("CREATE TABLE precious (id integer)")
        dump = self.backup / "database.dump"
        dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
        self.change_manifest(database={**self.said()["database"], "sha256": digest_of(dump)})

        self.refused("Not restored: ", yes_replace=True)

        self.assertEqual(self.tables_there(), 1)

    def test_what_differs_is_named(self) -> None:
        self.change_manifest(tables=self.said()["tables"] | {"users": [2, "1"], "gone": [0, "0"]})

        self.refused("2 things are not as they were kept: table gone, table users")

    def test_a_column_that_came_back_otherwise_is_named(self) -> None:
        structure = self.said()["structure"]
        columns = [["users", "shoe_size integer NOT NULL"], *structure["columns"]]
        self.change_manifest(structure={**structure, "columns": columns})

        self.refused("1 things are not as they were kept: columns")

    def test_a_backup_made_before_columns_were_kept_in_another_order_of_names_is_equal(self) -> None:
        structure = self.said()["structure"]
        del structure["columns"]
        structure["indexes"].reverse()
        self.change_manifest(structure=structure)

        self.assertIn("equal to what was kept", self.restore_there(self.backup))

    def test_code_that_is_older_than_the_backup_is_refused(self) -> None:
        self.change_manifest(migrations=[*self.said()["migrations"], "core.9999_tomorrow"])

        self.refused("it does not know core.9999_tomorrow")

    def test_a_backup_can_be_read_through_without_restoring_it(self) -> None:
        self.assertIn("1 files", self.restore_there(self.backup, verify=True))
        self.assertEqual(self.tables_there(), 0)

    def test_files_that_nobody_had_by_then_are_told(self) -> None:
        self.change_manifest(files={**self.said()["files"], "missing": ["uploads/lost.txt"]})

        told = self.restore_there(self.backup)

        self.assertIn("files that rows name and the backup never had: 1: uploads/lost.txt\n", told)

    def test_behind_a_pooler_it_is_refused(self) -> None:
        with patch.dict(connection.settings_dict, DISABLE_SERVER_SIDE_CURSORS=True):
            self.refused("not through a pooler", yes_replace=True)
            self.assertIn("whole: ", self.restore_there(self.backup, verify=True))

        self.assertEqual(self.tables_there(), 0)


@on_postgresql
class BucketTests(RecoveryCase):
    """From a bucket to a bucket, and to a disk."""

    server: S3Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = S3Server()
        cls.addClassCleanup(cls.server.end)

    def test_objects_come_back_below_the_prefix_of_whoever_restores(self) -> None:
        with stored_at(self.server.base, location="live"):
            for n in range(3):
                store(f"uploads/{n}.txt", b"%d" % n)
            self.server.client.put_object(Bucket=BUCKET, Key="others/uploads/x.txt", Body=b"x")
            first = make_backup(self.target)
            second = make_backup(self.target.joinpath("again"))

        self.assertEqual((first.copied, second.copied, first.manifest["files"]["count"]), (3, 3, 3))
        self.make_other()
        with stored_at(self.server.base, location="rehearsal"):
            self.restore_there(first.path)
        for n in range(3):
            body = self.server.client.get_object(Bucket=BUCKET, Key=f"rehearsal/uploads/{n}.txt")["Body"]
            self.assertEqual(body.read(), b"%d" % n)
        self.assertIn("live/uploads/0.txt", self.server.keys())

        self.restore_there(first.path, yes_replace=True)
        self.assertEqual((Path(self.media) / "uploads/2.txt").read_bytes(), b"2")
