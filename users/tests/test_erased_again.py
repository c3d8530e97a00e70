"""Whoever was erased since a backup is erased again once it is back: on either profile (SAFETY R19)."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from core.models import AuditEvent
from core.recovery.folders import LEDGER
from core.recovery.ledger import read_ledger, write_ledger
from users.models import User, UserProfile
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user


class ErasedAgainTests(TestCase):
    admin: User
    ada: User
    grace: User
    student: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()
        cls.ada, cls.grace, cls.student = make_user(email="ada@example.org"), make_user(), make_user()

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.backup = self.folder / "backup"
        self.backup.mkdir()
        self.was_made(timezone.now())

    def was_made(self, at: datetime | None) -> None:
        """Say when the backup was made: no more is asked of it."""
        said = {"snapshot_at": at.isoformat() if at else ""}
        (self.backup / "manifest.json").write_text(json.dumps(said))

    def erase_and_put_back(self, *people: User) -> None:
        for person in people:
            erase_person(person, by=self.admin)
        write_ledger(self.folder)
        for person in people:
            person.save(force_insert=True)
        UserProfile.objects.update_or_create(user=self.student, defaults={"supervisor_email": self.ada.email})

    def erase_again(self) -> str:
        out = StringIO()
        call_command("erase_again", str(self.backup), str(self.folder / LEDGER), stdout=out)
        return out.getvalue()

    def test_whoever_came_back_goes_once_more_with_all_traces_and_nobody_else(self) -> None:
        self.erase_and_put_back(self.ada, self.grace)

        self.assertEqual(self.erase_again(), "erased again: 2\n")

        self.assertEqual(set(User.objects.all()), {self.admin, self.student})
        self.assertEqual(UserProfile.objects.get(user=self.student).supervisor_email, "")
        again = AuditEvent.objects.filter(action="user_deleted", actor_id=None)
        self.assertEqual(again.count(), 2)
        self.assertEqual(self.erase_again(), "erased again: 0\n")

    def test_whoever_did_not_come_back_is_passed_over(self) -> None:
        self.erase_and_put_back(self.ada)
        erase_person(self.grace, by=self.admin)
        write_ledger(self.folder)

        self.assertEqual(self.erase_again(), "erased again: 1\n")

    def test_an_erasure_counts_from_ten_minutes_before_the_backup(self) -> None:
        """It is dated before its commit, so that the backup of that moment may still have the person."""
        self.erase_and_put_back(self.ada)
        self.was_made(timezone.now() + timedelta(minutes=11))
        self.assertEqual(self.erase_again(), "erased again: 0\n")

        self.was_made(timezone.now() + timedelta(minutes=9))
        self.assertEqual(self.erase_again(), "erased again: 1\n")

    def test_one_who_cannot_be_erased_holds_up_nobody_and_is_told(self) -> None:
        self.erase_and_put_back(self.ada, self.grace)
        self.keep_from_going(self.ada)

        with (
            self.assertLogs("users.services.erased_before", "WARNING") as told,
            self.assertRaisesMessage(
                CommandError, f"1 people could not be erased again, and are back: ids {self.ada.pk}."
            ),
        ):
            self.erase_again()

        self.assertEqual(set(User.objects.all()), {self.admin, self.ada, self.student})
        self.assertEqual(told.output, ["WARNING:users.services.erased_before:person_not_erased_again"])
        self.assertNotIn("ada@", str(vars(told.records[0])))
        moments = {entry.person_id: entry.at for entry in read_ledger(self.folder / LEDGER).entries}
        again = AuditEvent.objects.get(action="user_deleted", actor_id=None)
        self.assertEqual((again.object_id, moments[self.grace.pk]), (str(self.grace.pk), again.at))

    @staticmethod
    def keep_from_going(person: User) -> None:
        """Have the database refuse to delete a row."""
        refuse = "BEGIN SELECT RAISE(ABORT, 'ada@example.org is held'); END"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                body = "BEGIN RAISE 'ada@example.org is held'; END"
                cursor.execute(f"CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
                refuse = "EXECUTE FUNCTION held()"
            when = f"FOR EACH ROW WHEN (OLD.id = {person.pk})"
            cursor.execute(f"CREATE TRIGGER held BEFORE DELETE ON users {when} {refuse}")

    def test_what_cannot_be_read_erases_nobody_and_is_told(self) -> None:
        self.erase_and_put_back(self.ada)
        manifest, ledger = self.backup / "manifest.json", self.folder / LEDGER
        for path, content, saying in (
            (manifest, "{", "no manifest that can be read"),
            (manifest, "{}", "snapshot_at"),
            (manifest, '{"snapshot_at": "yesterday"}', "the manifest tells no moment"),
            (ledger, "ada\n17 2026-01-01T00:00:00+00:00\n", "names nobody"),
            (ledger, None, "No such file"),
        ):
            kept = path.read_text()
            with self.subTest(saying):
                path.write_text(content) if content is not None else path.unlink()
                with self.assertRaisesMessage(CommandError, "Nobody was erased: ") as refusal:
                    self.erase_again()
                self.assertIn(saying, str(refusal.exception))
            path.write_text(kept)
        self.assertTrue(User.objects.filter(pk=self.ada.pk).exists())
