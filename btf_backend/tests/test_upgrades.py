"""Upgrades without downtime: what new migrations may do, and ``migrate`` beside a serving release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.test import SimpleTestCase, TransactionTestCase, tag

from core import locks, operations
from core.management.commands import migrate
from resources.models import ResourceDownload

if TYPE_CHECKING:
    from collections.abc import Iterator

on_postgresql = skipUnless(connection.vendor == "postgresql", "SQLite has no locks to wait for.")
PROJECT = Path(settings.BASE_DIR)
LAST = max(path.stem for path in (PROJECT / "resources/migrations").glob("0*.py"))
HEAD = """
from django.db import migrations, models
from core import operations, tallies

def fill(apps, schema_editor):
    apps.get_model("resources", "Resource").objects.update(title="x")


{helper}

class Migration(migrations.Migration):
    dependencies = [("resources", "{before}")]
    atomic = {atomic}
    operations = [{operations}]
"""
HIDDEN = {
    "hidden": 'def hidden(apps, schema_editor):\n    schema_editor.execute("DROP TABLE resources_resource")',
    "by_helper": "def drop(cursor):\n    cursor.execute('DROP TABLE resources_resource')\n\n"
    "def hidden(apps, schema_editor):\n    drop(schema_editor.connection.cursor())",
}
BACK = "migrations.RunPython.noop"
CHECK = 'models.CheckConstraint(condition=models.Q(a="x"), name="only_x")'
REFUSED = {
    "not_null": 'migrations.AddField("resource", "a", models.CharField(max_length=5, default=""))',
    "wider": 'migrations.AlterField("resource", "a", models.TextField(default=""))',
    "index": 'migrations.AddIndex("resource", models.Index(fields=["title"], name="by_title"))',
    "no_index": 'migrations.RemoveIndex("resource", "by_title")',
    "foreign_key": 'migrations.AddField("resource", "b", models.ForeignKey("resources.Resource", null=True, '
    "on_delete=models.DO_NOTHING))",
    "drop": 'migrations.RemoveField("resource", "cover_image")',
    "rename": 'migrations.RenameField("resource", "description", "words")',
    "table": 'migrations.AlterModelTable("resource", "papers")',
    "check": f'migrations.AddConstraint("resource", {CHECK})',
    "unique": 'migrations.AddConstraint("resource", models.UniqueConstraint(fields=["title"], name="one"))',
    "mixed": 'migrations.AddField("resource", "c", models.IntegerField(null=True)), '
    f"migrations.RunPython(fill, {BACK})",
    "kept": 'migrations.AddField("resource", "d", models.IntegerField(null=True)), '
    'tallies.Keep(tallies.Tally("resources_resource", "resources_count", ("type",), "number"))',
    "required": 'migrations.AlterField("resource", "c", models.IntegerField(default=0))',
    "one_way": "migrations.RunPython(fill)",
    **dict.fromkeys(HIDDEN, f"migrations.RunPython(hidden, {BACK})"),
    "apart": "migrations.SeparateDatabaseAndState(database_operations=["
    'migrations.AddIndex("resource", models.Index(fields=["type"], name="by_type2"))])',
    "gone": 'migrations.DeleteModel("ResourceDownload")',
}
PASSED = {
    "nullable": 'migrations.AddField("resource", "a", models.CharField(max_length=5, null=True))',
    "given": 'migrations.AddField("resource", "b", models.CharField(max_length=5, db_default="x"))',
    "index": 'operations.AddIndexConcurrently("resource", models.Index(fields=["title"], name="by_title"))',
    "check": f'operations.AddConstraintNotValid("resource", {CHECK})',
    "valid": 'operations.ValidateConstraint("resource", "only_x")',
    "no_index": 'operations.RemoveIndexConcurrently("resource", "by_title")',
    "data": f"migrations.RunPython(fill, {BACK})",
    "table": 'migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True)), '
    '("name", models.CharField(max_length=5, db_index=True))])',
}


@tag("served")
@on_postgresql
class LintTests(SimpleTestCase):
    """In a copy of the code, with migrations that somebody might write tomorrow."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        compiled = shutil.ignore_patterns("__pycache__")
        for app in {path.parent.parent for path in PROJECT.glob("*/migrations/__init__.py")}:
            shutil.copytree(app, self.folder / app.name, ignore=compiled)
        for name in ("btf_backend", "scripts"):
            shutil.copytree(PROJECT / name, self.folder / name, ignore=compiled)
        shutil.copy(PROJECT / "pyproject.toml", self.folder)

    def write(self, cases: dict[str, str]) -> None:
        before = LAST
        for number, (name, words) in enumerate(cases.items(), start=int(LAST[:4]) + 1):
            stem = f"{number:04}_{name}"
            helper = HIDDEN.get(name, "")
            text = HEAD.format(before=before, atomic="index" not in name, operations=words, helper=helper)
            (self.folder / "resources/migrations" / f"{stem}.py").write_text(text)
            before = stem

    def lint(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/lint_migrations.py", *options]
        return subprocess.run(  # noqa: S603 - ours
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )

    def test_each_migration_that_the_release_before_would_not_survive_is_refused(self) -> None:
        self.write(REFUSED)

        done = self.lint()

        named = re.findall(r"^(?:resources\.|\(resources, )\d{4}_(\w+)", done.stdout, re.MULTILINE)
        self.assertEqual(set(named), REFUSED.keys(), done.stdout + done.stderr)
        self.assertEqual(done.returncode, 1)

    def test_each_careful_way_passes(self) -> None:
        ours = self.lint("--list").stdout.splitlines()
        self.write(PASSED)

        done = self.lint()

        self.assertEqual(
            done.stdout.splitlines()[-1], f"new migrations: {len(ours) + len(PASSED)}", done.stderr
        )
        self.assertEqual(done.returncode, 0, done.stdout)


class OperationsTests(TransactionTestCase):
    """The careful operations do on each profile what the plain ones do, and take it back."""

    def there_and_back(self, operation: Any) -> Iterator[dict[str, Any]]:
        before = MigrationLoader(connection).project_state()
        after = before.clone()
        operation.state_forwards("resources", after)
        for way, states in (("forwards", (before, after)), ("backwards", (after, before))):
            with connection.schema_editor(atomic=False) as editor:
                if way == "forwards":
                    operation.database_forwards("resources", editor, *states)
                else:
                    operation.database_backwards("resources", editor, *states)
            with connection.cursor() as cursor:
                yield connection.introspection.get_constraints(cursor, "resources_resource")

    def test_an_index_is_made_and_dropped(self) -> None:
        index = models.Index(fields=["title"], name="by_title")

        there, back = self.there_and_back(operations.AddIndexConcurrently("resource", index))

        self.assertIn("by_title", there)
        self.assertNotIn("by_title", back)

    def test_a_check_is_made_and_dropped(self) -> None:
        check = models.CheckConstraint(condition=~models.Q(title="x"), name="no_x")

        there, back = self.there_and_back(operations.AddConstraintNotValid("resource", check))

        self.assertIn("no_x", there)
        self.assertNotIn("no_x", back)


@on_postgresql
@patch.multiple(
    migrate, TRIES=2, PAUSE_SECONDS=0, LIMITS={"lock_timeout": "100ms", "statement_timeout": "20s"}
)
class MigrateTests(TransactionTestCase):
    def migrate(self, *words: str) -> str:
        said = StringIO()
        call_command("migrate", *words, stdout=said, stderr=said)
        return said.getvalue()

    def asked(self, query: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()

    def test_what_gets_no_lock_gives_up_and_succeeds_the_next_time(self) -> None:
        self.addCleanup(self.migrate, "resources")
        table = ResourceDownload._meta.db_table
        reader = connection.copy()
        self.addCleanup(reader.close)
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")  # as a SELECT does

        with self.assertRaisesMessage(CommandError, "run migrate again"):
            self.migrate("resources", "0001")

        self.assertEqual(self.asked(f"SELECT to_regclass('{table}')::text"), (table,))
        reader.rollback()
        self.migrate("resources", "0001")
        self.assertEqual(self.asked(f"SELECT to_regclass('{table}')::text"), (None,))

    def test_its_limits_end_with_it(self) -> None:
        before = self.asked("SHOW lock_timeout"), self.asked("SHOW statement_timeout")

        self.migrate()

        self.assertEqual((self.asked("SHOW lock_timeout"), self.asked("SHOW statement_timeout")), before)

    def test_an_index_that_was_left_unfinished_is_cleared_away(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE INDEX left_over ON resources_resource (title)")
            cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_over'::regclass")

        said = self.migrate()

        self.assertIn("Dropping the unfinished index public.left_over", said)
        self.assertEqual(self.asked("SELECT to_regclass('left_over')"), (None,))

    def test_a_second_one_at_the_same_time_is_told_to_wait(self) -> None:
        has_it, may_go = threading.Event(), threading.Event()

        def hold() -> None:
            locks.take("migrate")
            has_it.set()
            may_go.wait(20)
            locks.let_go("migrate")  # the next test migrates before PostgreSQL has ended this session
            connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        has_it.wait(20)
        try:
            with self.assertRaisesMessage(CommandError, "Another migrate is at work"):
                self.migrate()
        finally:
            may_go.set()
            holder.join()


@tag("drill")
@on_postgresql
@skipUnless((PROJECT / ".git").exists(), "The release before is found by git.")
class UpgradeTests(SimpleTestCase):
    """SAFETY R18, in short: ``make drill PART=upgrade`` loads more and takes longer."""

    databases = {"default"}

    def setUp(self) -> None:
        self.name = f"hub_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {self.name} TEMPLATE template0")
        self.addCleanup(self.execute, f"DROP DATABASE {self.name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def test_the_release_before_serves_while_migrations_run_and_after_them(self) -> None:
        environment = {**os.environ, "DB_NAME": self.name}

        done = subprocess.run(  # noqa: S603 - ours
            [sys.executable, str(PROJECT / "benchmarks/drills/upgrade.py"), "1000", "3"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

        self.assertEqual(
            done.stdout.splitlines()[-1:], ["passed"], done.stdout[-5_000:] + done.stderr[-2_000:]
        )
