"""Which list of erased people a restore reads, and which it writes (SAFETY R19)."""

from __future__ import annotations

from datetime import timedelta
from unittest import skipUnless

from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from core.recovery.folders import LEDGER
from core.recovery.ledger import UNKNOWN, note_erased, read_ledger, write_ledger
from core.tests.erased_since import ErasedSinceCase
from users.models import User
from users.services.erasure import erase_person
from users.tests.factories import make_admin

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
SOMEBODY = 90_017  # erased before the backup at hand, and after another


@on_postgresql
class AnotherListTests(ErasedSinceCase):
    def setUp(self) -> None:
        super().setUp()
        now = timezone.now()
        folder = self.target / "of-this-year"
        folder.mkdir()
        self.named = folder / LEDGER
        self.lines = f"{self.ada.pk} {now.isoformat()}\n{SOMEBODY} {(now - timedelta(days=9)).isoformat()}\n"
        self.named.write_text(self.lines)

    def ids_beside(self) -> set[int]:
        return {entry.person_id for entry in read_ledger(self.list).entries}

    def test_whoever_stands_in_the_named_one_alone_stands_beside_the_backup_then(self) -> None:
        """Or the next backup that is restored from there, by its own list, would bring them back."""
        self.restore("--erased", str(self.named))

        self.assertEqual(self.ids_beside(), {self.ada.pk, SOMEBODY})
        self.assertEqual(self.named.read_text(), self.lines)
        self.assertFalse(self.is_back())
        self.assertIn("erased again: 1\n", self.restore("--yes-replace").stdout)
        self.assertFalse(self.is_back())

    def test_the_list_beside_the_backup_counts_as_well(self) -> None:
        self.named.write_text("")
        self.erase()
        write_ledger(self.target)

        self.assertIn("erased again: 1\n", self.restore("--erased", str(self.named)).stdout)

    def test_one_beside_that_cannot_be_read_holds_up_nobody_and_is_told(self) -> None:
        self.list.write_text("ada\nbob\n")

        done = self.restore("--erased", str(self.named), status=1)

        self.assertIn(f"{self.list} does not tell all that were erased", done.stderr)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_a_rehearsal_erases_and_writes_no_list(self) -> None:
        """Whoever is erased while somebody rehearses is still there in production."""
        before = self.list.read_bytes()
        self.restore("--erased", str(self.named), "--rehearsal")
        self.assertFalse(self.is_back())
        with self.there():
            erase_person(User.objects.get(pk=self.admin.pk), by=make_admin())

        done = self.restore("--erased", str(self.named), "--rehearsal", "--yes-replace")

        self.assertNotIn("noted", done.stdout)
        self.assertEqual((self.list.read_bytes(), self.named.read_text()), (before, self.lines))

    def test_the_latest_moment_of_both_stays(self) -> None:
        early, late = (timezone.now() - timedelta(days=days) for days in (9, 1))
        self.list.write_text(f"1 {early.isoformat()}\n2 {late.isoformat()}\n")
        self.named.write_text(f"1 {late.isoformat()}\n2 {early.isoformat()}\n")

        self.assertEqual(note_erased(self.list, more=read_ledger(self.named).entries), 1)

        entries = read_ledger(self.list).entries
        self.assertEqual([entry.at for entry in entries], [late, late])
        self.assertNotIn(UNKNOWN, entries)


@on_postgresql
class FutureTests(ErasedSinceCase):
    def test_a_list_of_a_moment_still_to_come_counts_only_by_name(self) -> None:
        """A clock was wrong: whether it is of today nobody can tell."""
        self.list.write_text(f"# as of {(timezone.now() + timedelta(hours=1)).isoformat()}\n")

        with self.assertRaisesMessage(CommandError, "which is still to come: the clock is wrong"):
            self.restore_there(self.backup)

        told = self.restore_there(self.backup, erased=self.list)
        self.assertIn("which is still to come", told)
