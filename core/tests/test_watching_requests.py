"""One line a request: what it tells, and what it never does (B40)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.db import OperationalError, connection
from django.test import RequestFactory, SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver
from prometheus_client import generate_latest

from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import walk
from core.watching import metrics
from core.watching.requests import METHODS, UNKNOWN, RequestLogMiddleware, current_request
from users.models import User
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponse

LOGGER = "core.watching.requests"
FIELDS = ("method", "route", "status", "duration_ms", "queries", "user_id")


def label_sets() -> set[tuple[str, str, str]]:
    """Return method, route and status class of every request that this process counted."""
    found = set()
    for family in metrics.requests.collect():
        for sample in family.samples:
            found.add((sample.labels["method"], sample.labels["route"], sample.labels["status"]))
    return found


class RequestLineTests(TestCase):
    user: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user(status="active", first_name="Ada", last_name="Lovelace")

    def lines(self, call: Callable[[], Any], level: str = "INFO") -> list[dict[str, Any]]:
        with self.assertLogs(LOGGER, level) as logs:
            call()
        return [{name: vars(record)[name] for name in FIELDS} for record in logs.records]

    def line(self, call: Callable[[], Any]) -> dict[str, Any]:
        (line,) = self.lines(call)
        return line

    def test_it_tells_route_status_time_queries_and_who(self) -> None:
        client = signed_in_client(self.user)

        line = self.line(lambda: client.get("/api/users/me/"))

        self.assertGreater(line.pop("queries"), 0)
        self.assertGreater(line.pop("duration_ms"), 0)
        self.assertEqual(
            line, {"method": "GET", "route": "api/users/me/", "status": 200, "user_id": self.user.pk}
        )

    def test_the_number_of_queries_is_what_went_to_the_database(self) -> None:
        client = signed_in_client(self.user)
        client.get("/api/users/me/")

        with CaptureQueriesContext(connection) as captured:
            line = self.line(lambda: client.get("/api/users/me/"))
            asked = len(captured)
            User.objects.count()

        self.assertGreater(asked, 0)
        self.assertEqual(line["queries"], asked)

    def test_a_query_in_another_thread_counts_where_the_connection_is_on_loan(self) -> None:
        (line,) = self.lines(lambda: self.client.get("/api/health/"), "DEBUG")

        self.assertGreaterEqual(line["queries"], 1)

    def test_nobody_is_looked_up_for_the_line(self) -> None:
        self.client.force_login(make_superuser())

        line = self.line(lambda: self.client.get("/auth/verify"))

        self.assertEqual(line["user_id"], "-")

    def test_the_admin_site_knows_who_asked(self) -> None:
        admin = make_superuser()
        self.client.force_login(admin)

        self.assertEqual(self.line(lambda: self.client.get("/admin/"))["user_id"], admin.pk)

    def test_whatever_no_route_knows_has_one_word(self) -> None:
        for path in ("/api/ada@example.org/", "/ada", "/api/users/me/ada@example.org", "/wp-login.php"):
            with self.subTest(path):
                self.assertEqual(self.line(partial(self.client.get, path))["route"], UNKNOWN)

    def test_a_refusal_before_any_route_has_it_too(self) -> None:
        line = self.line(lambda: self.client.post("/api/uploads/", CONTENT_LENGTH=str(10**12)))

        self.assertEqual((line["status"], line["route"]), (413, UNKNOWN))

    def test_server_errors_warn(self) -> None:
        client = signed_in_client(self.user)

        with patch("django.db.connection.cursor", side_effect=OperationalError):
            (line,) = self.lines(lambda: client.get("/api/users/me/"), "WARNING")

        self.assertEqual((line["status"], line["route"]), (503, "api/users/me/"))

    def test_what_machines_ask_again_and_again_is_quiet(self) -> None:
        with self.assertNoLogs(LOGGER, "INFO"):
            for path in ("/api/health/live/", "/api/health/", "/metrics"):
                self.client.get(path)


class SecrecyTests(TestCase):
    """Neither a line nor a label holds what a path, a query, a header or a body did."""

    MARK = "zq7secretzq7"

    def call_everything(self) -> None:
        """Ask every route of the URLconf, with the mark wherever a client can put a word."""
        admin = signed_in_client(make_superuser(first_name=self.MARK))
        for path, pattern in walk(get_resolver().url_patterns):
            if "admindocs" in path or pattern.name in {"schema", "redoc"}:
                continue
            varied = re.sub(r"<[^>]*>", self.MARK, path)
            admin.get(varied, {"q": self.MARK, "token": self.MARK}, headers={"User-Agent": self.MARK})
            admin.post(varied, {"email": f"{self.MARK}@example.org", "code": self.MARK}, format="json")

    def test_every_route_with_a_secret_everywhere(self) -> None:
        before = label_sets()  # of other tests, with routes of their own
        with self.assertLogs(LOGGER, "DEBUG") as logs:
            self.call_everything()

        written = " ".join(str(vars(record)) for record in logs.records)
        counted = generate_latest(metrics.registry).decode()
        self.assertGreater(len(logs.records), 200)
        for personal in (self.MARK, "@example.org", "127.0.0.1"):
            self.assertNotIn(personal, written)
            self.assertNotIn(personal, counted)

        routes = {*patterns_of(get_resolver()), UNKNOWN}
        new = label_sets() - before
        self.assertTrue(new)
        for method, route, status in new:
            self.assertIn(route, routes)
            self.assertIn(method, METHODS | {"other"})
            self.assertRegex(status, "^[1-5]xx$")

    def test_a_method_that_nobody_knows_is_one_of_others(self) -> None:
        with self.assertLogs(LOGGER, "DEBUG") as logs:
            self.client.generic("BREW", "/api/health/live/")

        self.assertEqual(vars(logs.records[0])["method"], "other")


def patterns_of(resolver: Any, prefix: str = "") -> Iterator[str]:
    """Return the routes of a URLconf as Django joins them."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns_of(entry, route)
        else:
            yield route


class InFlightTests(SimpleTestCase):
    def test_a_request_that_breaks_off_is_not_in_flight_for_ever(self) -> None:
        def break_off(request: HttpRequest) -> HttpResponse:
            raise SystemExit

        before = metrics.requests_in_flight._value.get()
        with self.assertRaises(SystemExit):
            RequestLogMiddleware(break_off)(RequestFactory().get("/"))

        self.assertEqual(metrics.requests_in_flight._value.get(), before)
        self.assertIsNone(current_request.get())
