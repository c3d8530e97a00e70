"""One name for a request: in the answer's header, in the envelope, on every log line."""

from __future__ import annotations

import logging
from io import StringIO
from typing import Any

from django.test import SimpleTestCase, override_settings
from rest_framework.test import APIClient

from core.logs import RequestIdFilter, current_request_id

GIVEN = "proxy-0123.ABC_def"


@override_settings(ROOT_URLCONF="core.tests.raising")
class RequestIdTests(SimpleTestCase):
    def setUp(self) -> None:
        self.client = APIClient(raise_request_exception=False)
        self.addCleanup(current_request_id.set, "-")

    def get(self, name: str | None = None) -> Any:
        headers = {} if name is None else {"X-Request-ID": name}
        return self.client.get("/api/framework/missing/", headers=headers)

    def test_the_proxys_name_is_kept(self) -> None:
        response = self.get(GIVEN)

        self.assertEqual(response.headers["X-Request-ID"], GIVEN)
        self.assertEqual(response.json()["requestId"], GIVEN)

    def test_a_name_that_is_none_is_replaced(self) -> None:
        for name in ("", "short", "x" * 65, "with space", "a\nb-c-d-e-f", '"><script>', "ünïcödé-name"):
            with self.subTest(name):
                self.assertRegex(self.get(name).headers["X-Request-ID"], r"^[0-9a-f]{32}$")

    def test_two_requests_have_two_names(self) -> None:
        self.assertNotEqual(self.get().headers["X-Request-ID"], self.get().headers["X-Request-ID"])

    def test_answers_that_went_well_carry_it_too(self) -> None:
        response = self.client.post("/api/framework/x/", {}, headers={"X-Request-ID": GIVEN})

        self.assertEqual((response.status_code, response.headers["X-Request-ID"]), (200, GIVEN))

    def test_log_lines_carry_it(self) -> None:
        stream = StringIO()
        handler = logging.StreamHandler(stream)
        handler.addFilter(RequestIdFilter())
        handler.setFormatter(logging.Formatter("{request_id} {message}", style="{"))
        logger = logging.getLogger("core.exceptions")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

        self.client.get("/api/plain/unexpected/", headers={"X-Request-ID": GIVEN})

        self.assertTrue(stream.getvalue().startswith(f"{GIVEN} unhandled_error"))
