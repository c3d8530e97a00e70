"""Codes, tokens and addresses stay out of logs and out of the task table."""

from __future__ import annotations

import io
import logging.config
from unittest.mock import patch

from django.conf import settings
from django.test import override_settings
from django_tasks_db.models import DBTaskResult

from authentication.tests.signing_in import (
    ADDRESS,
    SignInTestCase,
    ask,
    bearer,
    mailed,
    redeem_code,
    redeem_link,
    refresh,
    wrong,
)
from btf_backend.logs import logging_settings
from core.logs import TokenScrubber
from core.models import AuditEvent
from core.tasks import QueueBackend


class WholeRecord(logging.Formatter):
    """Writes everything that any formatter could write, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {record.__dict__}"


class LogTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = io.StringIO()
        handler = logging.StreamHandler(self.log)
        handler.setFormatter(WholeRecord())
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        self.level = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)
        self.addCleanup(logging.getLogger().setLevel, self.level)

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_a_life_of_signing_in_leaves_no_secret_in_the_log(self) -> None:
        first, second = mailed(self.client), mailed(self.client)
        redeem_code(self.client, wrong(first.code))
        pair = redeem_code(self.client, second.code).json()
        self.client.get("/api/users/me/", **bearer(pair["token"]))
        self.client.get("/api/users/me/", **bearer(pair["token"] + "x"))
        renewed = refresh(self.client, pair["refresh_token"]).json()
        redeem_link(self.client, second.token)
        third = mailed(self.client)
        self.client.get("/api/auth/verify/", {"token": third.token})
        self.client.get("/auth/verify", {"token": third.token})

        written = self.log.getvalue()
        self.assertIn("sign_in_challenge_issued", written)
        self.assertIn("signed_in", written)
        secrets = [ADDRESS, *pair.values(), *renewed.values()]
        for sent in (first, second, third):
            secrets += [sent.token, f" {sent.code}", f"'{sent.code}"]
        for secret in secrets:
            if isinstance(secret, str):
                self.assertNotIn(secret, written)

    def test_a_mail_that_fails_names_nobody(self) -> None:
        with (
            patch("core.mail.EmailMultiAlternatives.send", side_effect=OSError(f"550 {ADDRESS}")),
            patch("core.tasks.delay_seconds", return_value=0),
        ):
            self.assertEqual(ask(self.client).status_code, 200)

        self.assertIn("task_failed", self.log.getvalue())
        self.assertNotIn(ADDRESS, self.log.getvalue())

    def test_a_token_in_a_url_is_blanked_whoever_logs_it(self) -> None:
        """B67: servers log a socket's query string, and what an admin searched for is a person's name."""
        lines = {
            '"WebSocket /ws/session/?%s" [accepted]': '"WebSocket /ws/session/?***" [accepted]',
            '"GET /api/auth/verify/?%s HTTP/1.1" 503': '"GET /api/auth/verify/?*** HTTP/1.1" 503',
            '"GET /auth/verify?%s HTTP/1.1" 200': '"GET /auth/verify?*** HTTP/1.1" 200',
            '"GET /api/admin/users/?%s HTTP/1.1" 200': '"GET /api/admin/users/?*** HTTP/1.1" 200',
            '"GET /calendar/0a1b2c.ics HTTP/1.1" 200': '"GET /calendar/***.ics HTTP/1.1" 200',
            '"GET /media/1-h-x_-/uploads/a.pdf" 200': '"GET /media/***/uploads/a.pdf" 200',
            '"POST /api/notifications/unsubscribe/WzEs:1uX:h_-9/ HTTP/1.1" 200': (
                '"POST /api/notifications/unsubscribe/***/ HTTP/1.1" 200'
            ),
            '"GET /api/notifications/unsubscribe/WzEs%3A1uX%3Ah_-9 HTTP/1.1" 404': (
                '"GET /api/notifications/unsubscribe/*** HTTP/1.1" 404'
            ),
            '"WebSocket /ws/notifications/?%s" [accepted]': '"WebSocket /ws/notifications/?***" [accepted]',
            '"GET /api/users/?%s HTTP/1.1" 200': '"GET /api/users/?*** HTTP/1.1" 200',
        }
        for line, expected in lines.items():
            for query in ("token=aa.bb.cc&after=3", "%74oken=aa.bb.cc"):
                args = (query,) if "%s" in line else ()
                record = logging.LogRecord("uvicorn.error", logging.INFO, "", 0, line, args, None)
                TokenScrubber().filter(record)
                self.assertEqual(record.getMessage(), expected)

        handlers = logging_settings(level="INFO", structured=True)
        self.assertIn("no_tokens", handlers["handlers"]["console"]["filters"])
        for server in ("uvicorn.error", "gunicorn.access", "gunicorn.error"):
            self.assertEqual(handlers["loggers"][server]["handlers"], ["console", "defects"])

    def test_a_refused_link_leaves_no_token_in_the_json_of_production(self) -> None:
        """Django hands the request to the log; as JSON that would be its whole URL."""
        out = io.StringIO()
        config = logging_settings(level="INFO", structured=True)
        config["handlers"]["console"]["stream"] = out
        logging.config.dictConfig(config)
        self.addCleanup(logging.config.dictConfig, settings.LOGGING)

        self.client.get("/api/auth/verify/", {"token": "t0k3n-of-a-link"})

        self.assertIn("Bad Request: /api/auth/verify/", out.getvalue())
        self.assertNotIn("t0k3n", out.getvalue())

    def test_production_lines_are_json_with_the_request_id(self) -> None:
        formatter = logging_settings(level="INFO", structured=True)["formatters"]["json"]

        self.assertIn("request_id", formatter["format"])


class StoredTests(SignInTestCase):
    def test_the_queue_holds_sealed_text_alone(self) -> None:
        """SAFETY B40: the task table is read by admins and backups."""
        with override_settings(
            EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
            TASKS={
                "default": {
                    "BACKEND": f"{QueueBackend.__module__}.QueueBackend",
                    "QUEUES": ["default", "sign-in"],
                }
            },
        ):
            ask(self.client)

        row = DBTaskResult.objects.get()
        self.assertEqual((row.queue_name, row.priority), ("sign-in", 100))
        self.assertNotIn(ADDRESS, str(row.args_kwargs))
        self.assertEqual(list(row.args_kwargs["kwargs"]), ["sealed"])

    def test_audit_rows_name_nobody(self) -> None:
        redeem_code(self.client, mailed(self.client).code)

        self.assertNotIn(ADDRESS, str(list(AuditEvent.objects.values())))
