"""Routes that remember which of them answers a path."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.http import HttpRequest, HttpResponse
from django.test import SimpleTestCase
from django.urls import Resolver404, URLResolver, include, path
from django.urls.resolvers import RoutePattern

from core.routes import RememberedRoutes


def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse()


PATTERNS: list[Any] = [
    path("first/", view, name="first"),
    path("of/<id:pk>/", include([path("things/<slug:name>/", view, {"extra": 1}, name="thing")])),
]
PATHS = ("api/first/", "api/of/7/things/a/", "api/of/8/things/a/")
FOREIGN = ("api/", "api/of/0/things/a/", "api/first", "other/first/", "api/of/7/things//")


class RememberedRoutesTests(SimpleTestCase):
    def setUp(self) -> None:
        self.routes = RememberedRoutes("api/", PATTERNS)

    def test_matches_are_those_of_the_framework(self) -> None:
        plain = URLResolver(RoutePattern("api/"), PATTERNS)
        for address in PATHS:
            with self.subTest(address):
                expected = plain.resolve(address)
                for _ in range(2):
                    found = self.routes.resolve(address)
                    self.assertEqual(
                        (found.func, found.args, found.kwargs, found.route, found.url_name),
                        (view, (), expected.kwargs, expected.route, expected.url_name),
                    )

    def test_a_path_is_looked_up_once(self) -> None:
        self.assertIs(self.routes.resolve(PATHS[0]), self.routes.resolve(PATHS[0]))

    def test_what_there_is_not_is_not_kept(self) -> None:
        for address in FOREIGN:
            with self.subTest(address), self.assertRaises(Resolver404):
                self.routes.resolve(address)
        self.routes.resolve(f"api/of/7/things/{'a' * 300}/")

        self.assertEqual(self.routes.remembered.cache_info().currsize, 0)

    def test_nobody_fills_the_memory(self) -> None:
        with patch("core.routes.PATHS_KEPT", 3):
            routes = RememberedRoutes("api/", PATTERNS)
        for number in range(1, 9):
            self.assertIsNone(routes.resolve(f"api/of/{number}/things/a/").tried)

        self.assertEqual(routes.remembered.cache_info().currsize, 3)

    def test_a_view_may_do_with_its_arguments_what_it_likes(self) -> None:
        """The root makes a match of its own of what is remembered."""
        root = URLResolver(RoutePattern(""), [self.routes])
        root.resolve(PATHS[1]).kwargs.clear()

        self.assertEqual(root.resolve(PATHS[1]).kwargs, {"pk": 7, "name": "a", "extra": 1})
