"""The list of erased people: written whole, read where it is torn, and used under newer code (SAFETY R19)."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase, TransactionTestCase

from core import audit
from core.recovery.folders import (
    LEDGER,
    BackupBroken,
    BackupRunning,
    alone_in,
    alone_with_list,
    whole_backups,
)
from core.recovery.ledger import entry_of, moment_of, read_ledger, write_ledger
from core.tests.recovering import RecoveryCase
from users.models import User
from users.services.erased_before import keep_ids_apart
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
TORN = (
    "17",
    "17 2026-0",
    "17 2026-01-01",
    "17 2026-01-01T12",
    "17 2026-01-01T12:00:00.5",
    "17 2026-13-01\n",
    "\0\0",
)


class ListCase(RecoveryCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = self.target / LEDGER

    def ids(self) -> list[int]:
        return [entry.person_id for entry in read_ledger(self.list)]


class TornTests(ListCase):
    def test_a_torn_last_line_is_told_and_the_others_count(self) -> None:
        for torn in TORN:
            self.list.write_text(f"16 2026-01-01T00:00:00+00:00\n{torn}")
            with self.subTest(torn), self.assertLogs("core.recovery.ledger") as told:
                self.assertEqual(self.ids(), [16])
                self.assertIn("erased_people_line_torn", told.output[0])

    def test_a_torn_last_line_is_written_anew_from_the_audit_log(self) -> None:
        admin, person = make_admin(), make_user()
        erased = person.pk
        erase_person(person, by=admin)
        write_ledger(self.target)
        whole = self.list.read_bytes()
        for cut in (1, 7, 20, len(whole) - 1):
            self.list.write_bytes(whole[:-cut])
            with self.subTest(cut):
                write_ledger(self.target)
                self.assertEqual((self.list.read_bytes(), self.ids()), (whole, [erased]))

    def test_any_other_line_that_names_nobody_is_refused(self) -> None:
        self.list.write_bytes(b"1\xff\n17 2026-01-01T00:00:00+00:00\n")

        with self.assertRaisesMessage(BackupBroken, "names nobody"):
            read_ledger(self.list)

    def test_a_write_that_fails_leaves_the_list_as_it_was(self) -> None:
        self.list.write_text("16 2026-01-01T00:00:00+00:00\n")
        erase_person(make_user(), by=make_admin())

        with patch("core.recovery.ledger.os.fsync", side_effect=OSError("no space left")):
            self.assertRaises(OSError, write_ledger, self.target)

        self.assertEqual(self.ids(), [16])
        self.assertEqual(write_ledger(self.target), 1)

    def test_moments_without_an_offset_can_be_compared_with_others(self) -> None:
        self.list.write_text("16 2026-01-01T00:00:00\n17 2026-01-01T00:00:00+00:00\n")

        first, second = read_ledger(self.list)

        self.assertEqual(first.at, second.at)


class TurnTests(ListCase):
    def test_the_list_is_written_while_a_backup_runs(self) -> None:
        with alone_in(self.target):
            self.assertEqual(write_ledger(self.target), 0)

    def test_whoever_comes_while_it_is_written_waits(self) -> None:
        held = alone_with_list(self.target)
        held.__enter__()
        timer = threading.Timer(0.2, held.__exit__, (None, None, None))
        timer.start()

        write_ledger(self.target)

        timer.join()
        self.assertTrue(self.list.exists())

    def test_but_not_for_ever(self) -> None:
        with (
            alone_with_list(self.target),
            patch("core.recovery.folders.LIST_WAIT_SECONDS", 0.1),
            self.assertRaises(BackupRunning),
        ):
            write_ledger(self.target)


@on_postgresql
class CommandTests(ListCase):
    def test_a_torn_last_line_ends_no_backup(self) -> None:
        self.list.write_text("17")

        call_command("backup", str(self.target), keep=1, stdout=StringIO())

        self.assertEqual((len(whole_backups(self.target)), self.ids()), (1, []))

    def test_a_list_that_cannot_be_read_is_told_in_words_and_leaves_no_backup(self) -> None:
        self.list.write_text("ada\n17 2026-01-01T00:00:00+00:00\n")
        for erased_only in (False, True):
            with self.subTest(erased_only), self.assertRaisesMessage(CommandError, "Nothing was written: "):
                call_command("backup", str(self.target), erased_only=erased_only, stdout=StringIO())

        self.assertEqual((whole_backups(self.target), list(self.target.glob(".partial*"))), ([], []))


@on_postgresql
class LedgerTests(RecoveryCase):
    def test_it_names_whoever_was_erased_by_id_once(self) -> None:
        admin, people = make_admin(), [make_user(email=f"ada{n}@example.org") for n in range(2)]
        ids = [person.pk for person in people]
        for person in people:
            erase_person(person, by=admin)
            self.back_up_erased()

        text = (self.target / LEDGER).read_text()
        self.assertEqual([entry.person_id for entry in read_ledger(self.target / LEDGER)], ids)
        self.assertNotIn("example.org", text)
        self.assertEqual(write_ledger(self.target), 0)

    def back_up_erased(self) -> None:
        call_command("backup", str(self.target), erased_only=True, stdout=StringIO())

    def test_it_outlives_the_audit_log(self) -> None:
        (self.target / LEDGER).write_text("17 2020-01-01T00:00:00+00:00\n")
        audit.record("user_deleted", target=make_user())

        self.assertEqual(write_ledger(self.target), 1)
        self.assertEqual(len(read_ledger(self.target / LEDGER)), 2)


class LineTests(SimpleTestCase):
    def test_a_line_that_names_nobody_is_refused(self) -> None:
        for line in (
            "",
            "17",
            "ada 2026-01-01T00:00:00+00:00",
            "17 yesterday",
            "-1 2026-01-01T00:00:00+00:00",
        ):
            with self.subTest(line), self.assertRaises(BackupBroken):
                entry_of(line)


@on_postgresql
class OlderTests(ListCase):
    def test_a_backup_of_older_code_is_migrated_before_people_are_erased_again(self) -> None:
        """Erasing reads every column of an account, and the older table has fewer."""
        self.make_other()
        ada = make_user()
        make_admin()
        self.restore_there(self.back_up().path)
        with self.there():
            call_command("migrate", "users", "0004", stdout=StringIO(), verbosity=0)
            older = self.back_up().path
        erase_person(ada, by=make_admin())
        write_ledger(self.target)

        done = self.script("restore.sh", str(older), "--yes-replace")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("the code is newer than the backup", done.stdout)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertEqual(self.ask_there("SELECT count(*) FROM users"), 1)

    def test_a_list_that_cannot_be_read_is_told_with_what_to_do_next(self) -> None:
        self.make_other()
        self.list.write_text("ada\n17 2026-01-01T00:00:00+00:00\n")
        bad = self.list.rename(self.target / "bad.txt")
        path = self.back_up().path

        done = self.script("restore.sh", str(path), "--erased", str(bad))

        self.assertEqual(done.returncode, 1)
        self.assertIn("names nobody", done.stderr)
        self.assertIn(f"manage.py erase_again {path} {bad}", done.stderr)
        self.assertNotIn("Traceback", done.stderr)


@on_postgresql
class NextIdTests(TransactionTestCase):
    def test_the_next_id_is_never_lower_than_it_was(self) -> None:
        person: Any = make_user()
        last = person.pk
        person.delete()
        User.objects.all().delete()

        keep_ids_apart(1)

        self.assertEqual(make_user().pk, last + 1)


class MomentTests(SimpleTestCase):
    def test_what_is_no_moment_is_none(self) -> None:
        for text in ("", "yesterday", "2026-13-01T00:00:00+00:00"):
            self.assertIsNone(moment_of(text))
