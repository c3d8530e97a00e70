"""Every answer of a test client is held against the OpenAPI document, and whatever differs fails."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, SimpleTestCase
from rest_framework.exceptions import APIException, NotAcceptable, NotFound
from rest_framework.response import Response
from rest_framework.test import APIClient

from core.contract_testing import Undocumented, hold, template_of
from core.refusals import TooLarge, TooMany
from core.views import LiveView

PATH = "/api/health/live/"
ENVELOPE = b'{"error":"x","detail":"x","code":"%s","requestId":"1"}'


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

    async def test_so_does_the_one_that_is_awaited(self) -> None:
        with patch.object(LiveView, "get", lambda *_: Response({})), self.assertRaises(Undocumented):
            await AsyncClient().get(PATH)
        self.assertEqual((await AsyncClient().get(PATH)).status_code, 200)

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
        self.assertEqual(template_of("/api/groups/my-groups/"), "/api/groups/my-groups/")
        self.assertEqual(template_of("/api/groups/BTF046/"), "/api/groups/{id}/")

    def test_what_is_no_operation_is_let_be(self) -> None:
        for path in ("/admin/", "/api/nope/"):
            with self.subTest(path):
                self.assertIsNone(template_of(path))
        for method in ("HEAD", "OPTIONS"):
            hold(method, PATH, HttpResponse("<p>whatever</p>"))


class EarningTests(SimpleTestCase):
    """What any operation may answer is let through where the request asks for it, and with its own code."""

    def ask(self, error: Exception | None, query: str = "", **headers: Any) -> Any:
        def get(*_: Any) -> Response:
            if error:
                raise error
            return Response({"status": "alive"})

        may_fail = headers.pop("may_fail", False)
        with patch.object(LiveView, "get", get):
            return APIClient(raise_request_exception=not may_fail).get(PATH + query, headers=headers)

    def refused(self, error: Exception | None, query: str = "", **headers: Any) -> None:
        with self.assertRaises(Undocumented):
            self.ask(error, query, **headers)

    def test_a_fault_of_ours_where_the_client_does_not_raise_it(self) -> None:
        self.assertEqual(self.ask(ValueError(), may_fail=True).status_code, 500)
        hold_fault = HttpResponse(ENVELOPE % b"server_error", status=500, content_type="application/json")
        with self.assertRaises(Undocumented):
            hold("GET", PATH, hold_fault)

    def test_not_with_the_code_of_something_else(self) -> None:
        class Odd(APIException):
            default_code = "conflict"

        self.refused(Odd(), may_fail=True)

    def test_406_where_json_is_not_accepted(self) -> None:
        self.assertEqual(self.ask(None, accept="text/x").status_code, 406)
        self.refused(NotAcceptable())
        self.refused(NotAcceptable(), accept="application/json")

    def test_413_where_the_body_is_large(self) -> None:
        self.refused(TooLarge())
        self.assertEqual(self.ask(TooLarge(), **{"content-length": str(10**9)}).status_code, 413)

    def test_404_where_an_unknown_format_is_asked_for(self) -> None:
        self.assertEqual(self.ask(None, "?format=csv").status_code, 404)
        for query in ("?format=json", "?format=", ""):
            with self.subTest(query):
                self.refused(NotFound(), query)

    def test_another_status_is_not(self) -> None:
        self.refused(TooMany(1), may_fail=True)


class MethodTests(SimpleTestCase):
    """A method that the document does not know is refused as such."""

    def test_by_our_own_405(self) -> None:
        response = APIClient().put(PATH)

        self.assertEqual((response.status_code, response.json()["code"]), (405, "method_not_allowed"))

    def test_any_other_answer_fails(self) -> None:
        def answers(body: bytes, status: int, **headers: str) -> HttpResponse:
            return HttpResponse(body, status=status, headers=headers, content_type="application/json")

        for name, answer in (
            ("a success", answers(b"{}", 200)),
            ("no content", HttpResponse(status=204)),
            ("another code", answers(ENVELOPE % b"conflict", 405, Allow="GET")),
            ("nothing that is allowed", answers(ENVELOPE % b"method_not_allowed", 405)),
            ("a page", HttpResponse("<p>405</p>", status=405, headers={"Allow": "GET"})),
            ("another refusal", answers(ENVELOPE % b"conflict", 409)),
        ):
            with self.subTest(name), self.assertRaises(Undocumented):
                hold("PUT", PATH, answer)

    def test_what_comes_before_passes(self) -> None:
        body = ENVELOPE % b"not_authenticated"
        hold("PUT", "/api/groups/", HttpResponse(body, status=401, content_type="application/json"))


class HeaderTests(SimpleTestCase):
    def refused(self, path: str, answer: HttpResponse) -> None:
        with self.assertRaises(Undocumented):
            hold("GET", path, answer)

    def test_the_type_is_one_of_those_that_are_told_of(self) -> None:
        for path, kind, body in (
            ("/api/events/1/calendar.ics", "text/calendar", b"BEGIN:VCALENDAR"),
            ("/api/events/1/roster/export/", "text/csv", b"a,b"),
            ("/api/users/me/export/", "application/zip", b"PK"),
        ):
            headers = {"ETag": '"1"'} if path.endswith(".ics") else {}
            with self.subTest(path):
                hold("GET", path, HttpResponse(body, headers=headers, content_type=kind))
                self.refused(path, HttpResponse(body, headers=headers, content_type="text/plain"))

    def test_a_header_that_is_told_of_is_there_and_as_told(self) -> None:
        wait = ENVELOPE % b"throttled"
        path, kind = "/api/auth/verify/?token=x", "application/json"
        with_header = HttpResponse(wait, status=429, headers={"Retry-After": "3"}, content_type=kind)
        hold("GET", "/api/auth/verify/", with_header)
        for headers in ({}, {"Retry-After": "soon"}):
            with self.subTest(headers=headers):
                answer = HttpResponse(wait, status=429, headers=headers, content_type=kind)
                self.refused(path.partition("?")[0], answer)
        self.refused("/api/events/1/calendar.ics", HttpResponse(b"x", content_type="text/calendar"))

    def test_one_that_is_not_told_of_is_not_there(self) -> None:
        for name, value in (("ETag", '"1"'), ("Location", "/"), ("Retry-After", "5")):
            with self.subTest(name):
                self.refused(
                    PATH,
                    HttpResponse(
                        b'{"status":"alive"}', headers={name: value}, content_type="application/json"
                    ),
                )
