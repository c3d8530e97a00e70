"""Swagger and ReDoc in Chromium: by their policies, and without a word to any other host.

The whole document takes each of them seconds to draw, so most runs draw three operations of it.
"""

from __future__ import annotations

import re
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from django.test import override_settings, tag

from btf_backend.tests.policed import PolicedCase
from core import docs

SOME: Final = ("/api/auth/magic-link/", "/api/auth/verify-otp/", "/api/health/live/")


def excerpt(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the document says of some operations, with all that they refer to."""
    kept: dict[str, Any] = {kind: {} for kind in document["components"]}
    kept["securitySchemes"] = document["components"]["securitySchemes"]
    paths = {path: document["paths"][path] for path in SOME}
    unread: list[Any] = [paths]
    while unread:
        for kind, name in re.findall(r"#/components/(\w+)/(\w+)", str(unread.pop())):
            if name not in kept[kind]:
                kept[kind][name] = document["components"][kind][name]
                unread.append(kept[kind][name])
    return {**document, "paths": paths, "components": kept}


def operations(document: dict[str, Any]) -> int:
    """Return how many there are."""
    return sum("operationId" in value for path in document["paths"].values() for value in path.values())


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

    def assert_swagger_lists_the_operations_and_lets_one_be_tried(self) -> None:
        self.open("/api/docs/")

        self.tab.locator("button:has-text('/api/auth/magic-link/')").first.wait_for()
        self.assertEqual(self.tab.locator(".opblock").count(), operations(docs.document()))
        self.assert_it_keeps_to_itself()

        # To look for a role in the whole document takes seconds.
        liveness = self.tab.locator("[id$=-getLiveness]")
        liveness.get_by_role("button", name="GET /api/health/live/ Liveness").click()
        liveness.get_by_role("button", name="Try it out").click()
        liveness.get_by_role("button", name="Execute").click()
        liveness.get_by_text('"alive"').first.wait_for()

        self.assert_it_keeps_to_itself()
        self.assert_nothing_smuggled_runs()

    def assert_redoc_shows_the_operations(self) -> None:
        policy = self.open("/api/redoc/").headers["content-security-policy"]

        self.tab.locator("h2", has_text="Ask for a link and a code by mail").wait_for()

        self.assertIn("img-src 'self'", policy)
        self.assert_it_keeps_to_itself()
        self.assert_nothing_smuggled_runs()

    def test_both_draw_some_operations(self) -> None:
        some = excerpt(docs.document())
        self.assertEqual(operations(some), len(SOME))
        anew = docs.written.__wrapped__  # of these, nothing is kept
        with patch.multiple(docs, document=lambda: some, written=anew):
            self.assert_swagger_lists_the_operations_and_lets_one_be_tried()
            self.assert_redoc_shows_the_operations()

    @tag("walk")
    def test_swagger_lists_all_operations_and_lets_one_be_tried(self) -> None:
        self.assert_swagger_lists_the_operations_and_lets_one_be_tried()

    @tag("walk")
    def test_redoc_shows_all_operations(self) -> None:
        self.assert_redoc_shows_the_operations()
