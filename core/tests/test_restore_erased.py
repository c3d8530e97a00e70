"""Whoever was erased since the backup is erased again, whatever else goes wrong (SAFETY R19)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from core.management.commands.restore import LOADED_BUT
from core.recovery.folders import LEDGER
from core.recovery.ledger import write_ledger
from core.tests.erased_since import ErasedSinceCase
from users.models import User
from users.services.erasure import erase_person
from users.tests.factories import make_user

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")


@on_postgresql
class ErasedSinceTests(ErasedSinceCase):
    def test_whoever_was_erased_since_is_erased_again_and_their_id_stays_theirs(self) -> None:
        erased, later = self.ada.pk, make_user()
        last = later.pk
        for person in (self.ada, later):
            erase_person(person, by=self.admin)
        write_ledger(self.target)
        self.restore_there(self.backup)
        self.assertEqual(self.ask_there("SELECT count(author_id) FROM chat_message"), 3)

        self.assertEqual(self.erase_again(), "erased again: 1\n")

        self.assertEqual(self.ask_there("SELECT array_agg(id) FROM users"), [self.admin.pk])
        self.assertNotEqual(erased, self.admin.pk)
        self.assertEqual(self.ask_there("SELECT count(author_id) FROM chat_message"), 0)
        self.assertEqual(self.ask_there("SELECT nextval(pg_get_serial_sequence('users', 'id'))"), last + 1)
        self.assertEqual(self.erase_again(), "erased again: 0\n")

    def test_whoever_bears_an_id_of_long_before_the_backup_stays(self) -> None:
        """In another life of the database it was somebody else's."""
        before = timezone.now() - timedelta(days=1)
        (self.target / LEDGER).write_text(f"{self.ada.pk} {before.isoformat()}\n")
        self.restore_there(self.backup, erased=self.target / LEDGER)

        self.assertEqual(self.erase_again(), "erased again: 0\n")

    def test_they_are_erased_where_the_storage_is_down_after_the_load(self) -> None:
        self.erase()
        write_ledger(self.target)
        Path(self.media).rmdir()
        Path(self.media).write_text("no folder")
        self.addCleanup(Path(self.media).mkdir)
        self.addCleanup(Path(self.media).unlink)

        done = self.restore("--yes-replace", status=1)

        self.assertIn("The database is loaded, but: ", done.stderr)
        self.assertIn(f"restore.sh {self.backup} --yes-replace", done.stderr)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_they_are_erased_where_something_is_not_as_it_was_kept(self) -> None:
        self.erase()
        write_ledger(self.target)
        manifest = self.backup / "manifest.json"
        said = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(said | {"tables": said["tables"] | {"gone": [0, "0"]}}))

        done = self.restore(status=1)

        self.assertIn("loaded, but: 1 things are not as they were kept: table gone", done.stderr)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_the_audit_log_is_guarded_at_once(self) -> None:
        """A restored function may be run by anybody until it is handed over."""
        with (
            patch("core.recovery.restore.digest_in_storage", side_effect=OSError("the disk is away")),
            self.assertRaises(CommandError) as refusal,
        ):
            self.restore_there(self.backup)

        self.assertEqual(refusal.exception.returncode, LOADED_BUT)
        anybody = "has_function_privilege('pg_monitor', 'forget_audit_events(integer, integer)', 'EXECUTE')"
        self.assertFalse(self.ask_there(f"SELECT {anybody}"))

    def test_a_backup_made_while_they_were_back_brings_nobody_back(self) -> None:
        """Erasing again came late, and a nightly backup before it."""
        with time_machine.travel(timezone.now() - timedelta(hours=2), tick=True):
            self.backup = self.back_up().path
            self.erase()
            write_ledger(self.target)
        self.restore_there(self.backup)
        with self.there():
            between = self.back_up().path
        manifest = self.backup / "manifest.json"
        earlier = (timezone.now() - timedelta(hours=2)).isoformat()
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"snapshot_at": earlier}))
        self.assertEqual(self.erase_again(), "erased again: 1\n")

        self.backup = between
        done = self.restore("--yes-replace")

        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_a_list_that_goes_on_elsewhere_by_now_is_refused_before_anything_is_touched(self) -> None:
        self.erase()
        elsewhere = self.target / "of-this-year"
        write_ledger(elsewhere)
        old = timezone.now() - timedelta(days=2)
        self.list.write_text(f"# as of {old.isoformat()}\n")

        done = self.restore(status=1)

        self.assertIn(f"Nothing was touched: {self.list} is as of ", done.stderr)
        self.assertEqual(self.ask_there("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), 0)

        done = self.restore("--erased", str(elsewhere / LEDGER))

        self.assertIn("list of erased people: 1, as of ", done.stdout)
        self.assertIn("erased again: 1\n", done.stdout)

    def test_an_old_list_counts_by_its_name_and_its_age_is_told(self) -> None:
        old = timezone.now() - timedelta(days=2)
        self.list.write_text(f"# as of {old.isoformat()}\n")

        done = self.restore("--erased", str(self.list))

        self.assertIn("list of erased people: 0, as of ", done.stdout)
        self.assertIn(", 2 days, 0:", done.stdout)

    def test_whom_the_replaced_database_erased_is_noted_first(self) -> None:
        self.restore_there(self.backup)
        with self.there():
            erase_person(User.objects.get(email="ada@example.org"), by=User.objects.get(pk=self.admin.pk))

        done = self.restore("--yes-replace")

        self.assertIn("erased people noted from what is replaced: 1\n", done.stdout)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_a_database_that_cannot_tell_is_replaced_with_a_word(self) -> None:
        self.ask_there("CREATE TABLE precious (id integer)")

        done = self.restore("--yes-replace")

        self.assertIn("does not tell whom it has erased", done.stderr)

    def test_where_there_was_no_list_it_says_so(self) -> None:
        self.list.unlink()
        self.assertIn("no list of erased people at", self.restore().stderr)
        self.assertFalse(self.list.exists())

        self.assertIn("no list of erased people at", self.restore("--yes-replace").stderr)

    def test_a_list_that_cannot_be_written_replaces_nothing(self) -> None:
        self.restore_there(self.backup)
        self.list.rename(self.target / ".away")
        with (
            patch("core.recovery.ledger.os.fsync", side_effect=OSError("read-only file system")),
            self.assertRaisesMessage(CommandError, "Nothing was touched: read-only file system"),
        ):
            self.restore_there(self.backup, yes_replace=True)

    def test_a_torn_last_line_erases_whose_id_is_whole(self) -> None:
        self.erase()
        write_ledger(self.target)
        self.list.write_bytes(self.list.read_bytes()[:-10])

        self.assertIn("erased again: 1\n", self.restore().stdout)

        self.assertFalse(self.is_back())

    def test_a_list_that_names_somebody_illegible_touches_nothing(self) -> None:
        first = f"# as of {timezone.now().isoformat()}\n"
        for lines, saying in (
            (f"{self.ada.pk}", "breaks off within its last id. Name a whole copy with --erased"),
            (f"ada\n{self.ada.pk} 2026-01-01T00:00:00+00:00\n", "names nobody"),
        ):
            self.list.write_text(first + lines)
            with self.subTest(saying):
                done = self.restore(status=1)
                self.assertIn("Nothing was touched: ", done.stderr)
                self.assertIn(saying, done.stderr)
                self.assertEqual(self.ask_there("SELECT to_regclass('users') IS NULL"), True)

    def test_erasing_that_fails_is_told_with_what_to_do_next(self) -> None:
        self.erase()
        write_ledger(self.target)
        lock = self.target / ".lock-erased"
        lock.unlink()
        lock.mkdir()  # nobody can hold the list

        done = self.restore(status=1)

        self.assertIn(f"manage.py erase_again {self.backup} {self.list}", done.stderr)
        self.assertFalse(self.is_back())
