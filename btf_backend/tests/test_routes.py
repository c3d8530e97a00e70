"""Both slash forms of every route, and JSON for what is no route (B101)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, SimpleTestCase, TestCase, override_settings
from django.urls import resolve, reverse
from rest_framework.test import APIClient

from authentication.models import SignInSession
from authentication.sessions import open_session
from btf_backend.tests.routes import ENVELOPE, METHODS, api_paths, api_routes, offered
from core.middleware import EitherSlashMiddleware
from core.policies import NOTHING
from users.tests.factories import make_superuser, make_user

UNKNOWN = (
    "/api/",
    "/api//",
    "/api/nope",
    "/api/nope/",
    "/api/users/",
    "/api/users/me/nope/",
    "/api/users/me/supervisors/abc/",
    "/api/nope.json",
    "/api/%0a",
    "/api/no%0Ape",
    "/api/%00",
    "/api/%ff%fe",
    "/api/..%2fadmin/",
    "/api/" + "x" * 3_000,
)


def twin(path: str) -> str:
    return path.removesuffix("/") if path.endswith("/") else f"{path}/"


class SlashTests(TestCase):
    def served_as(self, path: str) -> str:
        """Return the path as the resolver gets it."""
        seen: list[str] = []

        def get_response(request: HttpRequest) -> HttpResponse:
            seen.append(request.path_info)
            return HttpResponse()

        EitherSlashMiddleware(get_response)(RequestFactory().get(path))
        return seen[0]

    def test_both_forms_of_every_route_reach_it(self) -> None:
        """B101."""
        routes = api_routes()
        self.assertGreater(len(routes), 10)
        for path, pattern in routes:
            for form in (path, twin(path)):
                with self.subTest(form):
                    self.assertEqual(resolve(self.served_as(form)).url_name, pattern.name)

    def test_both_forms_answer_a_stranger_the_same_and_never_redirect(self) -> None:
        """B101; and let nothing be loaded (B37). What is served and not documented, nobody reviews."""
        client: Any = APIClient(raise_request_exception=False)
        for path in api_paths():
            for method in (*METHODS, "options"):
                with self.subTest(path=path, method=method):
                    answers = [getattr(client, method)(form) for form in (path, twin(path))]
                    statuses = [answer.status_code for answer in answers]

                    self.assertEqual(statuses[0], statuses[1])
                    self.assertFalse(300 <= statuses[0] < 400 or statuses[0] >= 500, statuses)
                    self.assertEqual(answers[0].headers["Content-Security-Policy"], NOTHING)
                    if method in METHODS and statuses[0] not in {401, 403, 405}:
                        self.assertIn((path, method), offered())

    def test_a_body_survives_without_the_slash(self) -> None:
        """B101: a redirect would have dropped it."""
        pair, url = open_session(make_user(), user_agent=""), twin(reverse("authentication:logout"))

        response = APIClient().post(url, {"refresh_token": pair.refresh}, format="json")

        self.assertEqual(response.status_code, 204)
        self.assertFalse(SignInSession.objects.live().exists())

    @override_settings(ROOT_URLCONF="core.tests.raising")
    def test_a_route_without_a_slash_is_served_with_one_too(self) -> None:
        for path in ("/api/bare", "/api/bare/"):
            with self.subTest(path):
                response = APIClient().post(path, {"a": 1}, format="json")
                self.assertEqual((response.status_code, response.json()), (200, {"parsed": {"a": 1}}))

    def test_pages_outside_the_api_are_left_alone(self) -> None:
        self.assertEqual(self.served_as("/auth/verify/"), "/auth/verify/")
        self.assertEqual(self.served_as("/admin"), "/admin")


class UnknownPathTests(SimpleTestCase):
    def check(self, response: Any) -> None:
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        self.assertEqual((set(response.json()), response.json()["code"]), (ENVELOPE, "not_found"))

    def test_it_is_a_json_404_for_every_method(self) -> None:
        """B101: a form token is never asked for, either."""
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        for path in UNKNOWN:
            for method in ("get", "post", "put", "patch", "delete", "options"):
                with self.subTest(path=path[:40], method=method):
                    self.check(getattr(client, method)(path))

    def test_debug_changes_nothing(self) -> None:
        """B101."""
        with override_settings(DEBUG=True):
            self.check(self.client.get("/api/nope/"))

    def test_elsewhere_it_is_a_page(self) -> None:
        for path in ("/nope", "/nope/", "/apinope/", "/auth/"):
            with self.subTest(path):
                response = self.client.get(path)
                self.assertEqual(response.status_code, 404)
                self.assertTrue(response.headers["Content-Type"].startswith("text/html"))


class MethodTests(TestCase):
    def test_a_method_that_a_path_lacks_is_a_json_405_once_signed_in(self) -> None:
        client = APIClient()
        client.force_authenticate(make_user())
        response = client.delete(reverse("users:me"))

        self.assertEqual((response.status_code, response.json()["code"]), (405, "method_not_allowed"))
        self.assertEqual(response.headers["Allow"], "GET, PUT, PATCH, HEAD, OPTIONS")

    def test_head_is_there_where_get_is(self) -> None:
        response = self.client.head(reverse("core:health_live"))

        self.assertEqual((response.status_code, response.content), (200, b""))

    def test_options_needs_a_token_where_the_path_does(self) -> None:
        self.assertEqual(self.client.options(reverse("users:me")).status_code, 401)


class SessionCookieTests(TestCase):
    PATHS = ("/admin/", "/media/x/y", "/api/docs/")

    def statuses(self, **headers: str) -> list[int]:
        return [Client().get(path, headers=headers).status_code for path in self.PATHS]

    def test_a_key_that_this_server_never_gave_is_a_strangers(self) -> None:
        """A quoted cookie may hold any byte, and PostgreSQL takes no NUL."""
        for key in (r'"\000abcdefghijk"', rf'"{"a" * 31}\000"', rf'"{"a" * 31}\351"', "a" * 33, "A" * 32):
            with self.subTest(key=key):
                self.assertEqual(self.statuses(cookie=f"sessionid={key}"), self.statuses())

    def test_a_key_that_it_gave_opens_the_admin_site(self) -> None:
        self.client.force_login(make_superuser())

        self.assertEqual(self.client.get("/admin/").status_code, 200)
