"""Swagger and ReDoc in Chromium: whole, and without a word to any other host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.test import override_settings, tag

from core.testing import BrowserTestCase


@tag("browser")
@override_settings(API_DOCS_PUBLIC=True)
class DocsInChromiumTests(BrowserTestCase):
    def open(self, path: str) -> tuple[Any, set[str]]:
        page, hosts = self.browser.new_page(), set[str]()
        self.addCleanup(page.close)
        page.on("response", lambda response: hosts.add(urlsplit(response.url).netloc))
        page.goto(f"{self.live_server_url}{path}")
        return page, hosts - {"", urlsplit(self.live_server_url).netloc}

    def test_swagger_lists_the_operations_and_lets_one_be_tried(self) -> None:
        page, foreign = self.open("/api/docs/")

        liveness = page.get_by_role("button", name="GET /api/health/live/ Liveness")
        page.get_by_role("button", name="GET").first.wait_for()
        while not liveness.count():  # Swagger draws what is far below when one comes near
            page.mouse.wheel(0, 2_000)
            page.wait_for_timeout(100)
        liveness.click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        page.get_by_text('"alive"').first.wait_for()

        self.assertEqual(foreign, set())

    def test_redoc_shows_the_operations(self) -> None:
        page, foreign = self.open("/api/redoc/")

        page.get_by_role("heading", name="Ask for a link and a code by mail").wait_for()

        self.assertEqual(foreign, set())
        self.assertIn("img-src 'self'", page.request.get(page.url).headers["content-security-policy"])
