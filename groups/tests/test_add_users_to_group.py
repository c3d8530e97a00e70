"""``manage.py add_users_to_group`` and the script in front of it."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase

from core.models import AuditEvent
from groups.models import Group, GroupMember
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_user

ADA, BOB = "ada@example.org", "bob@example.org"


def add(*addresses: str, **options: Any) -> str:
    """Run the command and return what it says."""
    out = io.StringIO()
    call_command("add_users_to_group", *addresses, stdout=out, **{"group": "BTF046", **options})
    return out.getvalue()


class CommandTests(TestCase):
    def members(self) -> dict[str, str]:
        rows = GroupMember.objects.filter(group="BTF046")
        return dict(rows.values_list("user__email", "role"))

    def counts(self) -> tuple[int, ...]:
        rows = (Group.everything, User.objects, GroupMember.objects, AuditEvent.objects)
        return tuple(manager.count() for manager in rows)

    def test_a_new_group_is_made_with_its_people(self) -> None:
        """B106: whom, and where, stands in the arguments."""
        said = add(ADA, BOB, name="Team", track="AUS-NSW")

        group = Group.objects.get()
        self.assertEqual(
            (group.pk, group.name, group.track, group.status), ("BTF046", "Team", "AUS-NSW", "active")
        )
        self.assertEqual(self.members(), {ADA: "student", BOB: "student"})
        self.assertIn("2 added to BTF046, 0 there already.", said)

    def test_accounts_that_are_made_are_pending_and_have_no_password(self) -> None:
        add(ADA, name="Team", role="mentor")

        user = User.objects.get()
        self.assertEqual((user.email, user.role, user.status), (ADA, "mentor", "pending"))
        self.assertFalse(user.has_usable_password())
        self.assertEqual(self.members(), {ADA: "mentor"})

    def test_people_who_are_there_join_as_they_are(self) -> None:
        person = make_user(email=ADA, role="mentor", status="active")
        make_group(id="BTF046", name="Team", track="Brazil")

        add(" ADA@Example.org ", ADA)

        person.refresh_from_db()
        self.assertEqual((person.role, person.status, User.objects.count()), ("mentor", "active", 1))
        self.assertEqual(self.members(), {ADA: "student"})
        group = Group.objects.get()
        self.assertEqual((group.name, group.track), ("Team", "Brazil"))

    def test_again_is_harmless(self) -> None:
        add(ADA, name="Team")
        before = self.counts()

        said = add(ADA, name="Team", role="supervisor")

        self.assertEqual(self.counts(), before)
        self.assertEqual(self.members(), {ADA: "student"})
        self.assertIn("0 added to BTF046, 1 there already.", said)

    def test_a_group_that_is_there_is_renamed_where_that_is_said(self) -> None:
        make_group(id="BTF046", name="Team", track="Brazil")

        add(ADA, name="New")

        group = Group.objects.get()
        self.assertEqual((group.name, group.track), ("New", "Brazil"))

    def test_a_dry_run_says_the_same_and_writes_nothing(self) -> None:
        before = self.counts()

        said = add(ADA, name="Team", dry_run=True)

        self.assertEqual(self.counts(), before)
        self.assertEqual(said, f"{add(ADA, name='Team')}Dry run: nothing was written.\n")

    def test_the_audit_has_nobody_who_acted(self) -> None:
        add(ADA, name="Team")

        events = AuditEvent.objects.order_by("pk").values_list("action", "actor_id", "object_id")
        self.assertEqual(list(events), [("group_created", None, "BTF046"), ("members_added", None, "BTF046")])

    def test_what_cannot_be_done_is_said_in_one_sentence_and_nothing_is_written(self) -> None:
        make_group(id="OLD").delete()
        before = self.counts()
        for arguments, options, word in (
            ((ADA,), {}, "--name"),
            ((ADA,), {"name": ""}, "--name"),
            ((ADA, "nonsense"), {"name": "Team"}, "nonsense"),
            ((ADA,), {"name": "Team", "group": "x.y"}, "digits"),
            ((ADA,), {"name": "Team", "group": "my-groups"}, "reserved"),
            ((ADA,), {"name": "Team", "group": "old"}, "taken"),
            ((ADA,), {"name": "x" * 256}, "255"),
            ((ADA,), {"name": "Team", "track": "x" * 51}, "50"),
        ):
            with self.subTest(options=str(options)[:40]):
                with self.assertRaises(CommandError) as refusal:
                    add(*arguments, **options)
                self.assertIn(word, str(refusal.exception))
                self.assertEqual(self.counts(), before)

    def test_group_addresses_and_role_are_checked_by_the_parser(self) -> None:
        for arguments in (["--group", "BTF046"], [ADA], ["--group", "BTF046", "--role", "admin", ADA]):
            with self.subTest(arguments=arguments), self.assertRaises(CommandError):
                call_command("add_users_to_group", *arguments)


class ScriptTests(SimpleTestCase):
    def test_it_runs_from_any_directory(self) -> None:
        script = Path(settings.BASE_DIR) / "scripts/add_users_to_group.py"
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run(  # noqa: S603 - our own script
                [sys.executable, script, "--help"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )

        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for option in ("--group ID", "--name", "--track", "--role", "--dry-run", "EMAIL"):
            self.assertIn(option, result.stdout)
