"""The audit log: what a row says, what it never says, and that it stays (SAFETY B40)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import ProgrammingError, connection, transaction
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from core import audit
from core.audit_keeper import hand_over, keeper
from core.logs import current_address, current_request_id
from core.models import AuditEvent
from core.retention import forget_audit_events, prune_audit
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

    def test_the_table_cannot_be_emptied(self) -> None:
        audit.record("signed_in")
        for statement in ("TRUNCATE core_auditevent", "TRUNCATE core_auditevent, core_upload CASCADE"):
            refused = self.assertRaisesMessage(ProgrammingError, "append-only")
            with self.subTest(statement), refused, transaction.atomic():
                # Off in tests alone, some of which are cleared by TRUNCATE (core.store_testing).
                self.sql("ALTER TABLE core_auditevent ENABLE TRIGGER audit_is_not_emptied")
                self.sql(statement)
        self.assertEqual(AuditEvent.objects.count(), 1)

    @staticmethod
    def sql(statement: str) -> None:
        sql(statement)


def sql(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def make_event(days: float) -> AuditEvent:
    return AuditEvent.objects.create(at=timezone.now() - timedelta(days=days), action="signed_in")


class ForgettingTests(TestCase):
    """What the retention job deletes, on either database."""

    def test_rows_older_than_the_setting_go_and_a_row_says_how_many(self) -> None:
        for days in (731, 800):
            make_event(days)
        kept = [make_event(days).pk for days in (0, 729)]

        self.assertEqual(prune_audit(), {"deleted": 2, "history": 0})

        told = AuditEvent.objects.exclude(pk__in=kept).get()
        self.assertEqual((told.action, told.actor_id), ("audit_forgotten", None))
        self.assertEqual(told.changes, {"rows": 2, "older_than_days": 730})
        self.assertEqual(AuditEvent.objects.count(), 3)

    def test_the_setting_decides(self) -> None:
        make_event(40)
        with self.settings(AUDIT_RETENTION_DAYS=41):
            self.assertEqual(prune_audit()["deleted"], 0)
        with self.settings(AUDIT_RETENTION_DAYS=39):
            self.assertEqual(prune_audit()["deleted"], 1)

    def test_where_nothing_is_due_nothing_is_said(self) -> None:
        make_event(1)

        self.assertEqual(prune_audit(), {"deleted": 0, "history": 0})
        self.assertEqual(AuditEvent.objects.count(), 1)

    def test_many_go_a_bounded_number_a_transaction(self) -> None:
        for _ in range(5):
            make_event(800)
        with patch("core.retention.AUDIT_BATCH", 2), patch("core.forgetting.BATCH", 2):
            self.assertEqual(prune_audit()["deleted"], 5)

        told = AuditEvent.objects.values_list("changes__rows", flat=True)
        self.assertEqual(sorted(told), [1, 2, 2] if connection.vendor == "postgresql" else [5])

    def test_the_history_of_the_admin_site_goes_with_them(self) -> None:
        admin = make_admin()
        for days in (731, 1):
            entry = LogEntry.objects.create(user=admin, action_flag=CHANGE, object_repr="Ada Lovelace")
            LogEntry.objects.filter(pk=entry.pk).update(action_time=timezone.now() - timedelta(days=days))

        self.assertEqual(prune_audit(), {"deleted": 0, "history": 1})
        self.assertEqual(LogEntry.objects.count(), 1)


@skipUnless(connection.vendor == "postgresql", "The trigger is PostgreSQL's.")
class KeeperTests(TestCase):
    """Who may forget, and what nobody may."""

    def refused(self, *statements: str, saying: str = "append-only") -> None:
        with self.assertRaisesMessage(ProgrammingError, saying), transaction.atomic():
            for statement in statements:
                sql(statement)

    def test_the_function_runs_as_a_role_that_nobody_signs_in_as(self) -> None:
        self.assertEqual(keeper(), f"{connection.settings_dict['USER']}_audit_keeper")
        roles = sql("SELECT rolname FROM pg_roles WHERE NOT rolcanlogin AND NOT rolsuper")
        self.assertIn((keeper(),), roles)

    def test_old_rows_too_are_deleted_by_the_function_alone(self) -> None:
        make_event(800)
        everything = "DELETE FROM core_auditevent"

        self.refused(everything)
        self.refused("SET LOCAL audit.forgetting = 'yes'", everything)
        self.refused(f"SET LOCAL ROLE {keeper()}", everything)

        self.assertEqual(AuditEvent.objects.count(), 1)

    def test_the_function_takes_no_shorter_time_than_thirty_days(self) -> None:
        make_event(29)
        for days in ("29", "0", "-1", "NULL"):
            with self.subTest(days):
                self.refused(f"SELECT forget_audit_events({days}, 10)", saying="30 days at least")

    def test_younger_rows_are_refused_even_to_the_role_itself(self) -> None:
        make_event(29)
        claims = (f"SET LOCAL ROLE {keeper()}", "SET LOCAL audit.forgetting = 'yes'")

        self.refused(*claims, "DELETE FROM core_auditevent")
        self.refused(*claims, "UPDATE core_auditevent SET at = now() - interval '3 years'", saying="denied")

        self.assertEqual(AuditEvent.objects.count(), 1)

    def test_who_means_to_can_delete_older_rows_as_security_md_says(self) -> None:
        make_event(800)
        for statement in (f"SET LOCAL ROLE {keeper()}", "SET LOCAL audit.forgetting = 'yes'"):
            sql(statement)
        sql("DELETE FROM core_auditevent")
        sql("RESET ROLE")

        self.assertFalse(AuditEvent.objects.exists())

    def test_what_the_function_may_ends_with_it(self) -> None:
        make_event(800)
        sql("SELECT forget_audit_events(730, 10)")
        make_event(800)

        self.refused("DELETE FROM core_auditevent")

    def test_a_role_that_may_make_no_role_keeps_the_function_and_forgets_all_the_same(self) -> None:
        sql("CREATE ROLE plain NOLOGIN")
        sql("GRANT ALL ON core_auditevent TO plain")
        sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain")
        sql("GRANT CREATE ON SCHEMA public TO plain")
        sql("ALTER FUNCTION forget_audit_events(integer, integer) OWNER TO plain")
        make_event(800)
        make_event(1)
        sql("SET LOCAL ROLE plain")

        hand_over()

        self.assertEqual(keeper(), "plain")
        self.refused("DELETE FROM core_auditevent")
        self.refused(
            "SET LOCAL audit.forgetting = 'yes'",
            "DELETE FROM core_auditevent WHERE at > now() - interval '30 days'",
        )
        self.assertEqual(forget_audit_events(), 1)
        self.assertEqual(forget_audit_events(), 0)

    def test_handing_over_again_changes_nothing(self) -> None:
        hand_over()

        self.assertTrue(keeper().endswith("_audit_keeper"))
        self.assertEqual(sql(f"SELECT has_schema_privilege('{keeper()}', 'public', 'CREATE')"), [(False,)])

    def test_nobody_else_may_call_it(self) -> None:
        sql("CREATE ROLE plain NOLOGIN")
        self.refused("SET LOCAL ROLE plain", "SELECT forget_audit_events(730, 10)", saying="denied")
