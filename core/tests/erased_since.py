"""A backup with somebody in it, for tests of whoever has been erased since (SAFETY R19)."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from django.core.management import call_command

from chat.tests.factories import make_message
from core.recovery.folders import LEDGER
from core.tests.recovering import RecoveryCase, store
from groups.tests.factories import make_group
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    import subprocess


class ErasedSinceCase(RecoveryCase):
    """Ada stands in the backup; the list beside it is fresh and empty."""

    def setUp(self) -> None:
        super().setUp()
        self.make_other()
        self.admin, self.ada = make_admin(), make_user(email="ada@example.org")
        group = make_group(members=[self.ada])
        for n in range(3):
            make_message(group=group, author=self.ada, text=f"Message {n}")
        store("uploads/a.txt")
        self.backup = self.back_up().path
        self.list = self.target / LEDGER

    def erase(self) -> None:
        erase_person(self.ada, by=self.admin)

    def restore(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.script("restore.sh", str(self.backup), *words)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def is_back(self) -> bool:
        return bool(self.ask_there("SELECT EXISTS (SELECT FROM users WHERE email = 'ada@example.org')"))

    def erase_again(self) -> str:
        out = StringIO()
        with self.there():
            call_command("erase_again", str(self.backup), str(self.target / LEDGER), stdout=out)
        return out.getvalue()
