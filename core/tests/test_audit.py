"""The audit log: what a row says, what it never says, and that it stays (SAFETY B40)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import skipUnless

from django.db import ProgrammingError, connection, transaction
from django.test import TestCase
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core import audit
from core.logs import current_address, current_request_id
from core.models import AuditEvent
from users.tests.factories import make_admin, make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User


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


class AddressTests(TestCase):
    def kept(self, address: str, actor: User | None) -> str | None:
        token = current_address.set(address)
        self.addCleanup(current_address.reset, token)
        return AuditEvent.objects.get(pk=audit.record("made", actor=actor).pk).address

    def test_it_is_kept_of_admins_and_staff(self) -> None:
        for name, actor in (
            ("admin", make_admin()),
            ("superuser", make_superuser()),
            ("staff", make_user(is_staff=True)),
        ):
            with self.subTest(name):
                self.assertEqual(self.kept("192.0.2.1", actor), "192.0.2.1")

    def test_it_is_not_kept_of_participants_nor_of_nobody(self) -> None:
        for role in ("student", "mentor", "supervisor"):
            with self.subTest(role):
                self.assertIsNone(self.kept("192.0.2.1", make_user(role=role, status="active")))
        self.assertIsNone(self.kept("192.0.2.1", None))

    def test_what_is_no_address_is_none(self) -> None:
        for text in ("", "unknown", "192.0.2.256", "192.0.2.1, 192.0.2.2", "<script>", "1" * 5_000, "\0"):
            with self.subTest(text[:10]):
                self.assertIsNone(self.kept(text, make_admin()))

    def test_an_ipv6_address_is_written_in_one_way(self) -> None:
        self.assertEqual(self.kept("2001:0DB8:0:0::1", make_admin()), "2001:db8::1")

    def test_it_comes_from_the_request(self) -> None:
        admin = make_admin()
        client = signed_in_client(admin)
        client.get(reverse("admin_panel:user-export"), REMOTE_ADDR="192.0.2.7")

        self.assertEqual(AuditEvent.objects.get(action="people_exported").address, "192.0.2.7")


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
            "upsert": lambda: AuditEvent.objects.bulk_create(
                [event], update_conflicts=True, unique_fields=["id"], update_fields=["action"]
            ),
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
