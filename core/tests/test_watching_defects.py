"""Defects are reported to a real receiver over HTTP: what leaves, and above all what does not (B40)."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final
from unittest.mock import patch

from django.conf import settings
from django.test import SimpleTestCase, TestCase, override_settings

from authentication.tests.signing_in import ADDRESS, signed_in_client
from core.tasks import background
from core.watching import defects, metrics
from users.tests.factories import make_user

PATIENCE_SECONDS: Final = 10
SECRETS: Final = (ADDRESS, "Lovelace", "482913", "a-link-token-of-somebody", "Bearer", "at-the-moor")
KEY: Final = "publickeyofthetests"


class Receiver(ThreadingHTTPServer):
    """An error tracker that keeps what it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: Queue[bytes] = Queue()
        super().__init__(("127.0.0.1", 0), Door)

    def envelope(self) -> tuple[str, dict[str, Any]]:
        """Return the next report, as it came over the wire and as its event."""
        text = self.received.get(timeout=PATIENCE_SECONDS).decode()
        _, _, event = text.split("\n")[:3]
        return text, json.loads(event)


class Door(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_packed = self.headers["Content-Encoding"] == "gzip"
        self.server.received.put(gzip.decompress(body) if is_packed else body)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


@background(attempts=1)
def break_down(*, address: str) -> None:
    raise ValueError(f"550 {address}")


class ReportTests(TestCase):
    receiver: Receiver

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.receiver = Receiver()
        thread = threading.Thread(target=cls.receiver.serve_forever)
        thread.start()
        cls.addClassCleanup(cls.receiver.server_close)
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.receiver.shutdown)
        dsn = f"http://{KEY}@127.0.0.1:{cls.receiver.server_port}/7"
        cls.enterClassContext(override_settings(SENTRY_DSN=dsn))
        defects.client.cache_clear()
        cls.addClassCleanup(defects.client.cache_clear)
        cls.addClassCleanup(lambda: defects.client().close(timeout=2))

    def setUp(self) -> None:
        self.user = make_user(status="active", email=ADDRESS, first_name="Ada", last_name="Lovelace")
        defects.client().flush(timeout=PATIENCE_SECONDS)  # what another test left on its way
        while not self.receiver.received.empty():
            self.receiver.received.get()

    def break_a_request(self) -> Any:
        """Have the view of a real route meet a defect whose words and variables name a child."""

        def meet_a_defect(request: Any) -> Any:
            code, token = "482913", "a-link-token-of-somebody"
            raise LookupError(f"{self.user.email} {self.user.last_name} {code} {token}") from ValueError(code)

        client = signed_in_client(self.user)
        client.raise_request_exception = False
        with patch("users.views.me.MeView.get", side_effect=meet_a_defect):
            return client.get("/api/users/me/?q=at-the-moor", headers={"X-Request-ID": "request-of-a-child"})

    def test_a_defect_is_told_by_kind_place_route_request_and_id(self) -> None:
        self.assertEqual(self.break_a_request().status_code, 500)

        _, event = self.receiver.envelope()
        kinds = [error["type"] for error in event["exception"]["values"]]
        frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
        self.assertEqual(kinds, ["ValueError", "LookupError"])
        self.assertEqual(frames[-1]["function"], "meet_a_defect")
        self.assertEqual(event["tags"]["route"], "api/users/me/")
        self.assertEqual(event["tags"]["request_id"], "request-of-a-child")
        self.assertEqual(event["user"], {"id": str(self.user.pk)})
        self.assertEqual(event["server_name"], "hub")

    def test_nothing_personal_leaves(self) -> None:
        self.break_a_request()

        text, event = self.receiver.envelope()
        for secret in SECRETS:
            self.assertNotIn(secret, text.replace(KEY, ""))
        self.assertNotIn(str(settings.BASE_DIR), text)
        for error in event["exception"]["values"]:
            self.assertEqual(set(error), {"type", "module", "stacktrace"})
            for frame in error["stacktrace"]["frames"]:
                self.assertNotIn("vars", frame)
        for habit in ("request", "breadcrumbs", "contexts", "modules", "extra", "logentry"):
            self.assertNotIn(habit, event)

    def test_one_defect_is_one_report(self) -> None:
        self.break_a_request()

        self.receiver.envelope()
        defects.client().flush(timeout=PATIENCE_SECONDS)
        with self.assertRaises(Empty):
            self.receiver.received.get_nowait()

    def test_a_task_that_gave_up_is_told_by_its_name(self) -> None:
        break_down.enqueue(address=ADDRESS)

        text, event = self.receiver.envelope()
        self.assertEqual(event["tags"]["task"], "break_down")
        self.assertEqual(event["exception"]["values"][-1]["type"], "ValueError")
        self.assertNotIn(ADDRESS, text)
        self.assertNotIn("user", event)

    def test_whatever_a_library_logs_with_its_exception_is_told(self) -> None:
        try:
            Path(ADDRESS).read_bytes()
        except OSError:
            logging.getLogger("asyncio").exception("Task exception was never retrieved: %s", ADDRESS)

        text, event = self.receiver.envelope()
        self.assertEqual(event["exception"]["values"][-1]["type"], "FileNotFoundError")
        self.assertNotIn(ADDRESS, text)


class ClientFaultTests(TestCase):
    """What Django refuses with 400 anybody can send: it must not raise the alarm HubDefects."""

    def number(self) -> float:
        """Return how many defects were counted, by whichever logger."""
        samples = [sample for metric in metrics.defects.collect() for sample in metric.samples]
        return sum(sample.value for sample in samples if sample.name.endswith("_total"))

    def test_a_request_that_is_not_acceptable_is_no_defect(self) -> None:
        too_many = {f"field{number}": "" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
        too_much = {"username": "a" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}
        before = self.number()

        statuses = [self.client.get("/admin/login/", headers={"host": "evil.example.org"}).status_code]
        statuses += [self.client.post("/admin/login/", body).status_code for body in (too_many, too_much)]

        self.assertEqual(statuses, [400, 400, 400])
        self.assertEqual(self.number(), before)

    def test_a_defect_counts(self) -> None:
        before = self.number()

        logging.getLogger("django.request").error("Internal Server Error: %s", "/", exc_info=ValueError())

        self.assertEqual(self.number(), before + 1)


class OffTests(SimpleTestCase):
    def test_it_costs_neither_an_import_nor_a_thread_until_a_defect_while_it_is_on(self) -> None:
        words = (
            "import sys, threading, btf_backend.asgi; from core.watching import defects; "
            "from django.test import override_settings\n"
            "def tell(): "
            "print('sentry_sdk' in sys.modules, any('sentry' in t.name for t in threading.enumerate()))\n"
            "tell()\n"
            "with override_settings(SENTRY_DSN=''): defects.report(ValueError())\n"
            "tell(); defects.report(ValueError()); tell()"
        )
        run = subprocess.run(  # noqa: S603 - our own interpreter and words
            [sys.executable, "-c", words],
            cwd=settings.BASE_DIR,
            env={
                "PATH": os.environ["PATH"],
                "ENV_FILE": os.devnull,
                "SECRET_KEY": "a-key-of-the-tests-" * 4,
                "DEBUG": "true",
                "SENTRY_DSN": "http://key@127.0.0.1:9/1",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

        told = dict(zip(("started", "off", "on"), run.stdout.splitlines(), strict=True))
        self.assertEqual(told, {"started": "False False", "off": "False False", "on": "True True"})
