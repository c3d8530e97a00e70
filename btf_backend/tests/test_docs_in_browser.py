"""Swagger and ReDoc in Chromium: whole, by their policies, and without a word to any other host.

Each is drawn once, since that takes seconds.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.test import override_settings, tag

from btf_backend.tests.policed import PolicedCase


@tag("browser")
@override_settings(API_DOCS_PUBLIC=True)
class DocsInChromiumTests(PolicedCase):
    def setUp(self) -> None:
        super().setUp()
        self.hosts: set[str] = set()
        self.hear(self.tab, "response", lambda response: self.hosts.add(urlsplit(response.url).netloc))

    def assert_it_keeps_to_itself(self) -> None:
        self.assertEqual(self.broken(), [])
        self.assertEqual(self.hosts - {"", urlsplit(self.live_server_url).netloc}, set())

    def test_swagger_lists_the_operations_and_lets_one_be_tried(self) -> None:
        self.open("/api/docs/")

        self.tab.locator("button:has-text('/api/auth/magic-link/')").first.wait_for()
        self.assert_it_keeps_to_itself()

        # To look for a role in the whole document takes seconds.
        liveness = self.tab.locator("[id$=-getLiveness]")
        liveness.get_by_role("button", name="GET /api/health/live/ Liveness").click()
        liveness.get_by_role("button", name="Try it out").click()
        liveness.get_by_role("button", name="Execute").click()
        liveness.get_by_text('"alive"').first.wait_for()

        self.assert_it_keeps_to_itself()
        self.assert_nothing_smuggled_runs()

    def test_redoc_shows_the_operations(self) -> None:
        policy = self.open("/api/redoc/").headers["content-security-policy"]

        self.tab.locator("h2", has_text="Ask for a link and a code by mail").wait_for()

        self.assertIn("img-src 'self'", policy)
        self.assert_it_keeps_to_itself()
        self.assert_nothing_smuggled_runs()
