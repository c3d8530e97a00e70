"""A second installation for tests of backups: a database and a folder of its own, and the scripts there."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TransactionTestCase, tag

from core.models import Upload
from core.recovery.backup import Made, make_backup
from core.recovery.measure import quoted
from core.uploads.files import save_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@tag("served")
class RecoveryCase(TransactionTestCase):
    """Backups of the test's database, and another one that is empty."""

    other: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.other = f"{connection.settings_dict['NAME']}_restored"

    def setUp(self) -> None:
        self.target = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.media = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(self.settings(MEDIA_ROOT=self.enterContext(tempfile.TemporaryDirectory())))

    def make_other(self) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {quoted(self.other)}")
        self.sql(f"CREATE DATABASE {quoted(self.other)} TEMPLATE template0")
        self.addCleanup(self.sql, f"DROP DATABASE {quoted(self.other)} WITH (FORCE)")

    @contextmanager
    def there(self) -> Iterator[None]:
        """Be the other installation for the block."""
        connection.close()
        with patch.dict(connection.settings_dict, NAME=self.other), self.settings(MEDIA_ROOT=self.media):
            try:
                yield
            finally:
                connection.close()

    def restore_there(self, backup: Path, **options: Any) -> str:
        """Run the command that ``restore.sh`` runs; returns what it says."""
        out = StringIO()
        with self.there():
            call_command("restore", str(backup), stdout=out, stderr=out, **options)
        return out.getvalue()

    @staticmethod
    def sql(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def ask_there(self, query: str) -> Any:
        """Ask the restored database; returns the first value of the first row."""
        with self.there(), connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0] if cursor.description else None

    def script(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a script as an operator does, for the other installation."""
        return subprocess.run(  # noqa: S603 - the product's own
            [str(settings.BASE_DIR / "scripts" / name), *words],
            env={**os.environ, "DB_NAME": self.other, "MEDIA_ROOT": self.media},
            capture_output=True,
            text=True,
            check=False,
        )

    def back_up(self, **options: Any) -> Made:
        return make_backup(self.target, **options)

    def run_backup(self, **options: Any) -> str:
        """Run the command that ``backup.sh`` runs; returns what it says."""
        out = StringIO()
        call_command("backup", str(self.target), stdout=out, **options)
        return out.getvalue()

    def back_up_wrongly(self, saying: str, **options: Any) -> str:
        """Run it, and expect an end that is not 0, with these words; returns what it said before."""
        out = StringIO()
        with self.assertRaises(CommandError) as refusal:
            call_command("backup", str(self.target), stdout=out, **options)
        self.assertIn(saying, str(refusal.exception))
        return out.getvalue()


def store(key: str, content: bytes = b"a photo of agar plates") -> Upload:
    """Store a file with its row."""
    save_file(key, ContentFile(content))
    return Upload.objects.create(key=key, filename="a.txt", size=len(content), mime_type="text/plain")
