"""The list of erased people: written whole, read where it is torn, and used under newer code (SAFETY R19)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase, TransactionTestCase
from django.utils import timezone

from core import audit
from core.models import AuditEvent
from core.recovery.folders import (
    LEDGER,
    BackupBroken,
    BackupRunning,
    alone_in,
    alone_with_list,
    whole_backups,
)
from core.recovery.ledger import (
    UNKNOWN,
    Erased,
    Ledger,
    ListTooOld,
    entry_of,
    moment_of,
    note_erased,
    read_beside,
    read_ledger,
    write_ledger,
)
from core.tests.recovering import RecoveryCase
from users.models import User
from users.services.erased_before import keep_ids_apart
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
LOST = ("1", "17", "\0\0", "ada 2026-0")
TORN = (
    "17 ",
    "17 2026-0",
    "17 2026-01-01",
    "17 2026-01-01T12",
    "17 2026-01-01T12:00:00.5",
    "17 2026-13-01\n",
)
LONG_AGO = "2026-01-01T00:00:00+00:00"


def freeze(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


def named_list(backup: Path, path: Path) -> Ledger:
    said = read_beside(backup, named=path)
    assert said is not None
    return said


class ListCase(RecoveryCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = self.target / LEDGER

    def ids(self) -> list[int]:
        return [entry.person_id for entry in read_ledger(self.list).entries]


class TornTests(ListCase):
    def test_a_torn_last_line_is_told_without_its_id_and_the_others_count(self) -> None:
        for torn in LOST:
            self.list.write_text(f"16 {LONG_AGO}\n{torn}")
            with self.subTest(torn), self.assertLogs("core.recovery.ledger") as told:
                self.assertEqual((self.ids(), read_ledger(self.list).breaks_off), ([16], True))
                self.assertIn("erased_people_line_torn", told.output[0])
                self.assertNotIn("17", str(vars(told.records[0])["line"]))
                self.assertFalse(hasattr(told.records[0], "said"))

    def test_an_id_whose_end_is_there_counts_and_later_than_any_backup(self) -> None:
        for torn in TORN:
            self.list.write_text(f"16 {LONG_AGO}\n{torn}")
            with self.subTest(torn), self.assertLogs("core.recovery.ledger"):
                said = read_ledger(self.list)
                self.assertEqual((said.entries[1:], said.breaks_off), ([Erased(17, UNKNOWN)], False))

    def test_a_torn_last_line_is_written_anew_from_the_audit_log(self) -> None:
        admin, person = make_admin(), make_user()
        erased = person.pk
        erase_person(person, by=admin)
        write_ledger(self.target)
        whole, entries = self.list.read_bytes(), read_ledger(self.list).entries
        for cut in (1, 7, 20, 31, 33, len(whole) - 1):
            self.list.write_bytes(whole[:-cut])
            with self.subTest(cut):
                write_ledger(self.target)
                self.assertEqual((read_ledger(self.list).entries, self.ids()), (entries, [erased]))

    def test_what_the_audit_log_does_not_know_is_kept_of_a_torn_last_line(self) -> None:
        self.list.write_text("17 2026-0")

        with freeze(NOON):
            write_ledger(self.target)

        self.assertEqual(read_ledger(self.list).entries, [Erased(17, NOON)])

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

        first, second = read_ledger(self.list).entries

        self.assertEqual(first.at, second.at)


class MomentOfTheListTests(ListCase):
    """Its first line: until when it knows of everybody."""

    def as_of(self) -> datetime | None:
        return read_ledger(self.list).as_of

    def test_each_writing_tells_its_moment(self) -> None:
        for moment in (NOON, NOON + timedelta(minutes=5)):
            with freeze(moment):
                write_ledger(self.target)

            self.assertEqual(self.as_of(), moment)
            self.assertEqual(self.list.read_text(), f"# as of {moment.isoformat()}\n")

    def test_a_list_of_older_code_is_read_and_gets_one(self) -> None:
        self.list.write_text(f"16 {LONG_AGO}\n")
        self.assertIsNone(self.as_of())
        audit.record("user_deleted", target=make_user())

        with freeze(NOON + timedelta(days=10_000)):  # nobody on it is in the audit log any more
            write_ledger(self.target)

        self.assertEqual(self.as_of(), NOON + timedelta(days=10_000))
        self.assertEqual(len(self.ids()), 2)

    def test_a_new_database_beside_an_old_list_does_not_make_it_young(self) -> None:
        """Where a machine is set up anew, the timer runs before anybody restores."""
        ago = timezone.now() - timedelta(days=3)
        text = f"# as of {ago.isoformat()}\n16 {ago.isoformat()}\n"
        self.list.write_text(text)

        with self.assertLogs("core.recovery.ledger", "WARNING"):
            write_ledger(self.target)

        self.assertEqual(self.list.read_text(), text)

    def test_noting_alone_does_not_move_it(self) -> None:
        with freeze(NOON):
            write_ledger(self.target)
        erase_person(make_user(), by=make_admin())

        self.assertEqual(note_erased(self.list), 1)

        self.assertEqual((self.as_of(), len(self.ids())), (NOON, 1))

    def test_one_without_or_older_than_a_day_counts_only_by_name(self) -> None:
        backup = self.target / "backup"
        for first, saying in (
            ("", "is of no known moment. Name the newest list"),
            (
                f"# as of {(NOON - timedelta(days=2)).isoformat()}\n",
                "2 days, 0:00:00 ago. Name the newest list",
            ),
            ("# as of yesterday\n", "is of no known moment"),
        ):
            self.list.write_text(f"{first}16 {LONG_AGO}\n")
            with self.subTest(first), freeze(NOON):
                with self.assertRaisesMessage(ListTooOld, saying):
                    read_beside(backup, named=None)
                self.assertEqual(len(named_list(backup, self.list).entries), 1)

    def test_a_younger_one_beside_the_backup_counts(self) -> None:
        with freeze(NOON - timedelta(hours=23)):
            write_ledger(self.target)

        with freeze(NOON):
            said = read_beside(self.target / "backup", named=None)

        self.assertEqual(said and said.as_of, NOON - timedelta(hours=23))

    def test_where_there_is_none_there_is_none(self) -> None:
        self.assertIsNone(read_beside(self.target / "backup", named=None))


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
        self.assertEqual([entry.person_id for entry in read_ledger(self.target / LEDGER).entries], ids)
        self.assertNotIn("example.org", text)
        self.assertEqual(write_ledger(self.target), 0)

    def back_up_erased(self) -> None:
        call_command("backup", str(self.target), erased_only=True, stdout=StringIO())

    def test_whoever_was_erased_twice_has_the_later_moment(self) -> None:
        """A backup that was made while they were back must not bring them back once more."""
        person = make_user()
        (self.target / LEDGER).write_text(f"{person.pk} {LONG_AGO}\n")
        audit.record("user_deleted", target=person)

        self.assertEqual(write_ledger(self.target), 1)

        (entry,) = read_ledger(self.target / LEDGER).entries
        self.assertEqual(entry.at, AuditEvent.objects.get().at)

    def test_an_earlier_moment_does_not_take_the_place_of_a_later_one(self) -> None:
        person = make_user()
        audit.record("user_deleted", target=person)
        later = timezone.now() + timedelta(hours=1)
        (self.target / LEDGER).write_text(f"{person.pk} {later.isoformat()}\n")

        self.assertEqual(write_ledger(self.target), 0)

        self.assertEqual(read_ledger(self.target / LEDGER).entries, [Erased(person.pk, later)])

    def test_it_outlives_the_audit_log(self) -> None:
        (self.target / LEDGER).write_text("17 2020-01-01T00:00:00+00:00\n")
        audit.record("user_deleted", target=make_user())

        self.assertEqual(write_ledger(self.target), 1)
        self.assertEqual(len(read_ledger(self.target / LEDGER).entries), 2)


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
