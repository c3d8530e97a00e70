"""The audit log: what a row says, what it never says, and that it stays (SAFETY B40)."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless

from django.db import ProgrammingError, connection, transaction
from django.test import TestCase

from core import audit
from core.logs import current_request_id
from core.models import AuditEvent
from users.tests.factories import make_user


class RecordTests(TestCase):
    def test_a_row_holds_ids_and_the_request(self) -> None:
        actor, target = make_user(), make_user()
        token = current_request_id.set("request-0001")
        self.addCleanup(current_request_id.reset, token)

        event = audit.record("role_changed", actor=actor, target=target, changes={"role": ["a", "b"]})

        stored = AuditEvent.objects.get()
        self.assertEqual(stored, event)
        self.assertEqual((stored.actor_id, stored.action), (actor.pk, "role_changed"))
        self.assertEqual((stored.object_type, stored.object_id), ("users.user", str(target.pk)))
        self.assertEqual((stored.changes, stored.request_id), ({"role": ["a", "b"]}, "request-0001"))
        self.assertEqual(str(stored), f"role_changed users.user {target.pk}")

    def test_the_system_itself_has_no_actor_and_needs_no_object(self) -> None:
        stored = audit.record("pruned")

        self.assertEqual((stored.actor_id, stored.object_type, stored.object_id), (None, "", ""))
        self.assertEqual(str(stored), "pruned")

    def test_it_outlives_whom_it_names(self) -> None:
        user = make_user()
        audit.record("signed_in", actor=user, target=user)
        user.delete()

        self.assertIsNotNone(AuditEvent.objects.get().actor_id)

    def test_it_goes_with_the_transaction_that_it_records(self) -> None:
        with self.assertRaises(RuntimeError), transaction.atomic():
            audit.record("signed_in")
            raise RuntimeError

        self.assertFalse(AuditEvent.objects.exists())


class DifferenceTests(TestCase):
    def test_values_are_told_only_where_they_are_not_personal(self) -> None:
        before = {"role": "student", "email": "ada@example.org", "track": "", "bio": "old"}
        after = {"role": "mentor", "email": "bob@example.org", "track": "", "bio": "new", "is_staff": True}

        self.assertEqual(
            audit.difference(before, after),
            {"role": ["student", "mentor"], "email": True, "bio": True, "is_staff": [None, True]},
        )

    def test_nothing_changed_is_nothing(self) -> None:
        self.assertEqual(audit.difference({"role": "student"}, {"role": "student"}), {})


@skipUnless(connection.vendor == "postgresql", "The trigger is PostgreSQL's.")
class AppendOnlyTests(TestCase):
    def test_neither_the_orm_nor_sql_changes_or_deletes_a_row(self) -> None:
        event = audit.record("signed_in")
        rows: Any = AuditEvent.objects.filter(pk=event.pk)
        attempts = {
            "save": event.save,
            "delete": event.delete,
            "update": lambda: rows.update(action="nothing"),
            "delete many": rows.delete,
            "raw update": lambda: self.sql("UPDATE core_auditevent SET actor_id = NULL"),
            "raw delete": lambda: self.sql("DELETE FROM core_auditevent"),
        }
        for name, attempt in attempts.items():
            refused = self.assertRaisesMessage(ProgrammingError, "append-only")
            with self.subTest(name), refused, transaction.atomic():
                attempt()
        self.assertEqual(AuditEvent.objects.get().action, "signed_in")

    @staticmethod
    def sql(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
