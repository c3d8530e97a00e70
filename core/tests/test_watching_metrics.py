"""``/metrics``: who reads it, what stands there, and how several processes count together."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from django.conf import settings
from django.db import OperationalError, connection
from django.test import SimpleTestCase, TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client.parser import text_string_to_metric_families

from core.models import PeriodicRun
from core.watching import backlog, processes
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

    def test_statements_are_short_where_the_database_can_see_to_that(self) -> None:
        if connection.vendor != "postgresql":
            self.skipTest("PostgreSQL alone has statement_timeout.")
        with CaptureQueriesContext(connection) as captured:
            self.get()

        short = [query for query in captured if "statement_timeout" in query["sql"]]
        self.assertEqual(len(short), len(QUESTIONS))


COUNTING: Final = """
import sys, django
django.setup()
from core.watching import metrics
metrics.messages_posted.inc(int(sys.argv[1]))
metrics.request_seconds.labels("api/x/").observe(0.3)
metrics.open_sockets.labels("chat").inc(int(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
"""


class ProcessesTests(SimpleTestCase):
    """Real processes, which count into one folder."""

    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def counting(self, number: int) -> subprocess.Popen[str]:
        """Start a process that counts so many, and wait until it has."""
        environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "btf_backend.settings",
            "ENV_FILE": os.devnull,
            "PROMETHEUS_MULTIPROC_DIR": self.folder,
        }
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
            [sys.executable, "-c", COUNTING, str(number)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.end, process)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    @staticmethod
    def end(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.communicate()

    def samples(self) -> Samples:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in processes.families(self.folder)
            for sample in family.samples
        }

    def test_two_processes_are_summed(self) -> None:
        self.counting(2)
        self.counting(3)

        samples = self.samples()

        self.assertEqual(value(samples, "btf_messages_posted_total"), 5)
        self.assertEqual(value(samples, "btf_sockets_open", kind="chat"), 5)
        self.assertEqual(
            value(samples, "btf_http_request_duration_seconds_bucket", route="api/x/", le="0.5"), 2
        )

    def test_what_a_killed_one_had_open_is_gone_and_what_it_counted_is_not(self) -> None:
        self.counting(2)
        killed = self.counting(3)
        self.samples()

        self.end(killed)

        for _ in range(2):
            samples = self.samples()
            self.assertEqual(value(samples, "btf_messages_posted_total"), 5)
            self.assertEqual(value(samples, "btf_sockets_open", kind="chat"), 2)
            self.assertEqual(value(samples, "btf_http_request_duration_seconds_count", route="api/x/"), 2)

    def test_however_often_processes_start_anew_the_folder_stays_small(self) -> None:
        for number in range(3):
            self.end(self.counting(number + 1))
            self.assertEqual(value(self.samples(), "btf_messages_posted_total"), sum(range(number + 2)))

        self.assertEqual(
            {file.name for file in Path(self.folder).iterdir()},
            {"counter_gone.db", "histogram_gone.db", "lock"},
        )

    def test_another_that_got_a_dead_ones_number_does_not_keep_its_sockets_open(self) -> None:
        killed = self.counting(3)
        self.end(killed)
        (file,) = Path(self.folder).glob("gauge_livesum_*.db")
        yesterday = time.time() - 86_400
        mine = file.with_name(f"gauge_livesum_{os.getpid()}.db")
        file.rename(mine)
        os.utime(mine, (yesterday, yesterday))

        self.assertIsNone(value(self.samples(), "btf_sockets_open", kind="chat"))
        self.assertFalse(mine.exists())

    def test_another_users_that_got_a_dead_ones_number_does_not_either(self) -> None:
        """ProtectProc=invisible of systemd hides from us when it began."""
        self.counting(3)

        with patch("core.watching.processes.os.kill", side_effect=PermissionError):
            samples = self.samples()

        self.assertIsNone(value(samples, "btf_sockets_open", kind="chat"))
        self.assertEqual(value(samples, "btf_messages_posted_total"), 3)
