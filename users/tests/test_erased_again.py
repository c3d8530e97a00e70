"""Whoever was erased since a backup is erased again once it is back: on either profile (SAFETY R19)."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from core.models import AuditEvent
from core.recovery.folders import LEDGER
from core.recovery.ledger import write_ledger
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
        self.was_made(timezone.now())

    def was_made(self, at: datetime | None) -> None:
        """Say when the backup was made: no more is asked of it."""
        said = {"snapshot_at": at.isoformat() if at else ""}
        (self.folder / "manifest.json").write_text(json.dumps(said))

    def erase_and_put_back(self, *people: User) -> None:
        for person in people:
            erase_person(person, by=self.admin)
        write_ledger(self.folder)
        for person in people:
            person.save(force_insert=True)
        UserProfile.objects.update_or_create(user=self.student, defaults={"supervisor_email": self.ada.email})

    def erase_again(self) -> str:
        out = StringIO()
        call_command("erase_again", str(self.folder), str(self.folder / LEDGER), stdout=out)
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

    def test_what_cannot_be_read_erases_nobody_and_is_told(self) -> None:
        self.erase_and_put_back(self.ada)
        manifest, ledger = self.folder / "manifest.json", self.folder / LEDGER
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
