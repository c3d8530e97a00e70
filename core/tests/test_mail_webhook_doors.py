"""Which webhooks there are: those of the service that sends our mail, behind its secret."""

from __future__ import annotations

import json
from typing import Any, Final
from unittest import mock

from django.core.checks import run_checks
from django.test import TestCase, override_settings

from core.checks import STARTUP
from core.mail_services import VIEWS
from core.tests.webhooks import ANYMAIL, MAILJET, POSTMARK, WebhookCase, basic, mount, postmark

EVERY = [
    *(f"{service}/{kind}/" for service in VIEWS for kind in ("tracking", "inbound")),
    *("mailgun/inbound_mime/", "mandrill/", "nobody/tracking/"),
]
KEYS = dict.fromkeys(
    [
        *("MAILERSEND_SIGNING_SECRET", "MAILGUN_WEBHOOK_SIGNING_KEY", "MANDRILL_WEBHOOK_KEY"),
        *("POSTAL_WEBHOOK_KEY", "UNISENDER_GO_API_KEY"),
    ],
    "a-key",
)
BODIES: Final[tuple[Any, ...]] = ({}, [], b"x", b"\xff", b"[" * 100_000)
SMTP = "django.core.mail.backends.smtp.EmailBackend"
LONG = "hub:secret-of-the-webhooks"


def backend(service: str) -> str:
    return f"anymail.backends.{service}.EmailBackend"


class MountedTests(WebhookCase):
    def test_one_service_alone_has_an_address(self) -> None:
        mount("postmark")
        for route in EVERY:
            with self.subTest(route):
                expected = 400 if route == "postmark/tracking/" else 404
                self.assertEqual(self.post_again(f"/api/mail/webhooks/{route}", {}, {}), expected)

    @override_settings(ANYMAIL={**ANYMAIL, **KEYS})
    def test_no_service_fails_over_who_has_no_password(self) -> None:
        for service in VIEWS:
            for body in BODIES:
                with self.subTest(service, body=str(body)[:9]), mock.patch("warnings.warn"):
                    status = self.post(f"/api/mail/webhooks/{service}/tracking/", body, {})
                    self.assertIn(status, {400, 401})

    def test_what_is_no_document_of_the_service_is_refused_and_said(self) -> None:
        for body in (*BODIES[1:], {"FromFull": {}}, {"RecordType": []}):
            with self.subTest(str(body)[:20]), self.assertLogs("core.inbox.webhooks") as logs:
                self.assertIn(self.post(POSTMARK, body), {200, 400})
                self.assertEqual([line.msg for line in logs.records], ["mail_event_unreadable"])

    def test_without_the_secret_or_a_service_there_are_none(self) -> None:
        for service, anymail in (("postmark", {}), ("", ANYMAIL), ("console", ANYMAIL), ("test", ANYMAIL)):
            with self.subTest(f"{service} {anymail}"), override_settings(ANYMAIL=anymail):
                mount(service)
                for url in (POSTMARK, MAILJET):
                    response: Any = self.client.post(
                        url, json.dumps(postmark()), content_type="application/json", headers=basic()
                    )
                    self.assertEqual((response.status_code, response.json()["code"]), (404, "not_found"))


class StartTests(TestCase):
    def test_the_start_says_what_would_not_be_heard_or_could_not_be_believed(self) -> None:
        good = {"WEBHOOK_SECRET": LONG}
        cases: list[tuple[str, dict[str, str], set[str]]] = [
            (backend("postmark"), {}, {"btf.W001"}),
            (backend("postmark"), {"WEBHOOK_SECRET": ""}, {"btf.W001"}),
            (backend("postmark"), good, set()),
            (backend("console"), {}, set()),
            (SMTP, {}, set()),
            (SMTP, good, set()),
            (backend("mailgun"), good, {"btf.E012"}),
            (backend("mandrill"), good, {"btf.E012"}),
            (backend("mailgun"), {**good, "MAILGUN_WEBHOOK_SIGNING_KEY": "x"}, set()),
            (backend("mandrill"), {**good, "MANDRILL_WEBHOOK_KEY": "x"}, set()),
            *(
                (SMTP, {"WEBHOOK_SECRET": secret}, {"btf.E011"})
                for secret in (
                    "no-colon-in-the-whole-of-it",
                    "a:b",
                    ":secret-of-the-webhooks",
                    "hub:" + " " * 20,
                )
            ),
        ]
        for name, anymail, slugs in cases:
            with self.subTest(f"{name} {anymail}"), override_settings(EMAIL_BACKEND=name, ANYMAIL=anymail):
                found = {message.id for message in run_checks(tags=[STARTUP])}
                self.assertEqual(found & {"btf.W001", "btf.E011", "btf.E012"}, slugs)
