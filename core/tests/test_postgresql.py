"""What our backend spares PostgreSQL, and that nothing is lost by it."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import OperationalError, connection, models, transaction
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from core.models import Upload
from core.prepared import Prepared, Slot

ours: Any = connection  # the type checkers know Django's alone


def large() -> models.QuerySet[Upload]:
    return Upload.objects.filter(
        size__gte=Slot("size", models.BigIntegerField()), key__contains="%"
    ).order_by("pk")


@skipUnless(connection.vendor == "postgresql", "SQLite has no server.")
class PreparedStatementTests(TransactionTestCase):
    """PREPARE and EXECUTE."""

    def setUp(self) -> None:
        connection.close()
        Upload.objects.create(key="50%", filename="É", size=5)
        self.prepared = Prepared(large)

    def asked(self, size: int) -> tuple[list[str], str]:
        with CaptureQueriesContext(connection) as asked:
            found = self.prepared.objects(size=size)
        return [upload.key for upload in found], asked.captured_queries[-1]["sql"]

    def test_a_session_prepares_once(self) -> None:
        for size, keys in ((5, ["50%"]), (6, []), (0, ["50%"])):
            found, sql = self.asked(size)
            self.assertEqual(found, keys)
            self.assertTrue(sql.startswith("EXECUTE "), sql)
        self.assertEqual(len(self.statements), 1)
        connection.close()
        self.assertEqual(self.asked(5)[0], ["50%"])

    @property
    def statements(self) -> dict[str, str]:
        return ours.statements  # type: ignore[no-any-return]

    def test_within_a_transaction_it_is_asked_as_it_stands(self) -> None:
        with transaction.atomic():
            found, sql = self.asked(5)
        self.assertEqual(found, ["50%"])
        self.assertTrue(sql.startswith("SELECT "), sql)

    def test_a_statement_that_is_gone_is_asked_again(self) -> None:
        self.asked(5)
        connection.cursor().execute("DEALLOCATE ALL")
        self.assertEqual(self.asked(5)[0], ["50%"])
        self.assertTrue(self.asked(5)[1].startswith("EXECUTE "))

    def test_a_migration_between_two_questions(self) -> None:
        self.asked(5)
        change = "ALTER TABLE core_upload ALTER COLUMN filename TYPE varchar({})"
        with connection.cursor() as cursor:
            cursor.execute(change.format(300))
            self.addCleanup(self.back, change.format(255))
        self.assertEqual(self.asked(5)[0], ["50%"])
        self.assertEqual(self.asked(5)[0], ["50%"])

    def back(self, change: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(change)

    def test_another_error_is_an_error(self) -> None:
        self.asked(5)
        with self.assertRaises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 20")
            Prepared(lambda: Upload.objects.annotate(slept=Sleep()).values_list("slept")).rows()
        connection.close()


class Sleep(models.Func):
    """A second of the server's."""

    template = "pg_sleep(1)::text"
    output_field = models.TextField()


@skipUnless(connection.vendor == "postgresql", "SQLite has no server.")
class HealthTests(TransactionTestCase):
    """Whether it is alive is asked of a connection that has been silent."""

    def setUp(self) -> None:
        connection.close()
        connection.ensure_connection()
        ours.health_check_enabled = True
        self.request()

    def request(self) -> None:
        connection.close_if_unusable_or_obsolete()
        try:
            Upload.objects.count()
        finally:
            connection.close_if_unusable_or_obsolete()

    def checks(self, *, after: float) -> int:
        with (
            patch("core.postgresql.base.monotonic", return_value=ours.answered_at + after),
            patch.object(connection, "is_usable", return_value=True) as asked,
        ):
            self.request()
        return asked.call_count

    def test_just_after_it_answered_it_is_not_asked(self) -> None:
        self.assertEqual(self.checks(after=0.4), 0)
        self.assertEqual(self.checks(after=0.4), 0)
        self.assertEqual(self.checks(after=0.6), 1)

    def test_a_request_without_a_query_proves_nothing(self) -> None:
        before = ours.answered_at
        connection.close_if_unusable_or_obsolete()
        connection.close_if_unusable_or_obsolete()
        self.assertEqual(ours.answered_at, before)

    def test_a_server_that_went_costs_one_request_at_most(self) -> None:
        self.kill()
        with self.assertRaises(OperationalError):
            self.request()
        self.request()

    def test_a_server_that_went_some_time_ago_costs_none(self) -> None:
        self.kill()
        ours.answered_at -= 1
        self.request()

    def kill(self) -> None:
        other = connection.copy()
        self.addCleanup(other.close)
        number = connection.connection.info.backend_pid
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
