"""``/metrics``: who reads it, and what stands there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from django.db import OperationalError, connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client.parser import text_string_to_metric_families

from core.models import PeriodicRun
from core.watching import backlog
from core.watching.exposition import QUESTIONS
from users.tests.factories import make_user

TOKEN: Final = "a-token-of-the-tests-alone"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


@override_settings(METRICS_TOKEN=TOKEN)
class MetricsCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        backlog.migrations.load()

    def get(self, authorization: str = f"Bearer {TOKEN}", **headers: str) -> Any:
        return self.client.get("/metrics", headers={"Authorization": authorization, **headers})

    def samples(self) -> Samples:
        return samples_of(self.get().content.decode())


class DoorTests(MetricsCase):
    def test_without_a_token_of_the_operators_there_is_no_such_page(self) -> None:
        with override_settings(METRICS_TOKEN=""):
            self.assertEqual(self.get().status_code, 404)
            self.assertEqual(self.get("Bearer ").status_code, 404)

    def test_whoever_does_not_show_it_is_401(self) -> None:
        for authorization in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"):
            with self.subTest(authorization):
                response = self.get(authorization)
                self.assertEqual(response.status_code, 401)
                self.assertEqual(response.content, b"")
                self.assertEqual(response.headers["WWW-Authenticate"], "Bearer")

    def test_it_is_read_only(self) -> None:
        self.assertEqual(self.client.post("/metrics").status_code, 405)

    def test_it_is_text_for_prometheus_in_either_format(self) -> None:
        plain, open_metrics = self.get(), self.get(Accept="application/openmetrics-text; version=1.0.0")

        self.assertTrue(plain.headers["Content-Type"].startswith("text/plain"))
        self.assertTrue(open_metrics.headers["Content-Type"].startswith("application/openmetrics-text"))
        self.assertTrue(open_metrics.content.endswith(b"# EOF\n"))
        self.assertEqual(plain.headers["Cache-Control"], "no-store")


class DatabaseTests(MetricsCase):
    def queued(self, number: int, *, queue: str = "mail", status: str = "READY", seconds: int = 90) -> None:
        DBTaskResult.objects.bulk_create(
            DBTaskResult(
                task_path="core.periodic.run_job",
                queue_name=queue,
                status=status,
                priority=0,
                backend_name="default",
                args_kwargs={"args": [], "kwargs": {}},
                run_after=timezone.now() - timedelta(seconds=seconds),
                exception_class_path="",
            )
            for _ in range(number)
        )

    def test_tasks_are_told_by_queue_with_the_age_of_the_oldest(self) -> None:
        self.queued(2)
        self.queued(3, seconds=-3600)
        self.queued(1, status="RUNNING")
        self.queued(4, status="FAILED")

        samples = self.samples()

        self.assertEqual(value(samples, "btf_tasks_due", queue="mail"), 2)
        self.assertEqual(value(samples, "btf_tasks_due", queue="sign-in"), 0)
        self.assertAlmostEqual(value(samples, "btf_task_lag_seconds", queue="mail") or 0, 90, delta=30)
        self.assertEqual(value(samples, "btf_tasks_waiting", state="put_off"), 3)
        self.assertEqual(value(samples, "btf_tasks_waiting", state="running"), 1)
        self.assertEqual(value(samples, "btf_dead_letters"), 4)

    def test_a_job_that_nobody_started_is_overdue(self) -> None:
        PeriodicRun.objects.create(name="prune_tasks", due_at=timezone.now() - timedelta(minutes=6))
        PeriodicRun.objects.create(name="of another release", due_at=timezone.now() - timedelta(days=6))

        self.assertEqual(value(self.samples(), "btf_periodic_jobs_overdue"), 1)

    def test_all_is_well_in_an_empty_database(self) -> None:
        samples = self.samples()

        for name in ("btf_dead_letters", "btf_mail_lag_seconds", "btf_migrations_pending"):
            self.assertEqual(value(samples, name), 0, name)
        self.assertEqual(value(samples, "btf_database_up"), 1)
        self.assertEqual(value(samples, "btf_deliveries", state="queued"), 0)

    def test_it_costs_the_same_however_much_waits(self) -> None:
        numbers = []
        for more in (1, 50):
            self.queued(more)
            self.queued(more, status="FAILED", queue=f"queue{more}")
            make_user()
            with CaptureQueriesContext(connection) as captured:
                self.get()
            numbers.append(len(captured))

        self.assertEqual(numbers[0], numbers[1])
        self.assertLess(numbers[0], 40)

    def test_what_a_database_that_is_away_knows_is_absent_and_not_zero(self) -> None:
        with patch("django.db.connection.cursor", side_effect=OperationalError):
            response = self.get()

        samples = samples_of(response.content.decode())
        self.assertEqual(response.status_code, 200)
        self.assertEqual(value(samples, "btf_database_up"), 0)
        self.assertFalse({name for name, _ in samples} & {"btf_tasks_due", "btf_dead_letters"})
        self.assertIn("btf_http_requests_in_flight", {name for name, _ in samples})

    def test_one_question_that_takes_too_long_costs_its_own_answer_alone(self) -> None:
        with patch("core.watching.backlog.dead_letters", side_effect=OperationalError):
            samples = self.samples()

        self.assertIsNone(value(samples, "btf_dead_letters"))
        self.assertEqual(value(samples, "btf_migrations_pending"), 0)
        self.assertEqual(value(samples, "btf_database_up"), 0)

    def test_a_defect_of_a_question_is_told_in_the_log_by_its_kind(self) -> None:
        with (
            patch("core.watching.backlog.mail_lag", side_effect=ValueError("somebody@example.org")),
            self.assertLogs("core.watching.exposition", "WARNING") as logs,
        ):
            samples = self.samples()

        self.assertEqual(value(samples, "btf_database_up"), 0)
        self.assertEqual([record.message for record in logs.records], ["metrics_incomplete"])
        self.assertEqual(vars(logs.records[0])["store_error"], "ValueError")
        self.assertNotIn("example.org", str(vars(logs.records[0])))

    def test_statements_are_short_where_the_database_can_see_to_that(self) -> None:
        if connection.vendor != "postgresql":
            self.skipTest("PostgreSQL alone has statement_timeout.")
        with CaptureQueriesContext(connection) as captured:
            self.get()

        short = [query for query in captured if "statement_timeout" in query["sql"]]
        self.assertEqual(len(short), len(QUESTIONS))
