"""Every answer of a test client is held against the OpenAPI document, and whatever differs fails."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.http import HttpResponse, StreamingHttpResponse
from django.test import SimpleTestCase
from rest_framework.response import Response
from rest_framework.test import APIClient

from core.contract_testing import Undocumented, hold, template_of
from core.views import LiveView

PATH = "/api/health/live/"


class HoldingTests(SimpleTestCase):
    def get(self, body: Any, status: int = 200, path: str = PATH) -> Any:
        with patch.object(LiveView, "get", lambda *_: Response(body, status)):
            return APIClient().get(path)

    def test_what_is_documented_passes(self) -> None:
        self.assertEqual(self.get({"status": "alive"}).status_code, 200)

    def test_a_view_that_differs_fails(self) -> None:
        for name, body, status in (
            ("a key too many", {"status": "alive", "since": "noon"}, 200),
            ("a key too few", {}, 200),
            ("a word that is none of the few", {"status": "asleep"}, 200),
            ("another type", {"status": 1}, 200),
            ("another status", {"status": "alive"}, 202),
            ("a fault that wears no envelope", {"status": "alive"}, 500),
        ):
            with self.subTest(name), self.assertRaises(Undocumented):
                self.get(body, status)

    def test_so_does_one_without_the_last_slash(self) -> None:
        with self.assertRaises(Undocumented):
            self.get({}, path=PATH.rstrip("/"))

    def test_so_does_djangos_own_client(self) -> None:
        with patch.object(LiveView, "get", lambda *_: Response({})), self.assertRaises(Undocumented):
            self.client.get(PATH)

    def test_so_do_another_content_and_a_body_where_none_is_told(self) -> None:
        for method, path, answer in (
            ("GET", PATH, HttpResponse("<p>alive</p>")),
            ("DELETE", "/api/auth/sessions/", HttpResponse("gone", status=204)),
            ("DELETE", "/api/auth/sessions/", StreamingHttpResponse(["gone"], status=204)),
        ):
            with self.subTest(path), self.assertRaises(Undocumented):
                hold(method, path, answer)

    def test_what_is_said_of_it_names_operation_status_and_place(self) -> None:
        with self.assertRaisesRegex(Undocumented, r"GET /api/health/live/ answered 200.*\n  the whole: "):
            self.get({})

    def test_paths_with_fewer_parameters_come_first(self) -> None:
        self.assertEqual(template_of("GET", "/api/groups/my-groups/"), "/api/groups/my-groups/")
        self.assertEqual(template_of("GET", "/api/groups/BTF046/"), "/api/groups/{id}/")

    def test_what_is_no_operation_is_let_be(self) -> None:
        for method, path in (("GET", "/admin/"), ("GET", "/api/nope/"), ("PUT", PATH), ("HEAD", PATH)):
            with self.subTest(path, method=method):
                self.assertIsNone(template_of(method, path))
