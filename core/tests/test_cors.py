"""CORS as CONTRACT 1.6 has it."""

from __future__ import annotations

from typing import Any

from django.test import TestCase, override_settings
from rest_framework.test import APIClient

OURS, FOREIGN = "http://localhost:5173", "https://evil.example"
URL = "/api/users/me/"
OUR_HEADERS = {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match"}


@override_settings(CORS_ALLOWED_ORIGINS=[OURS, "https://hub.example.org"])
class CorsTests(TestCase):
    client: APIClient
    client_class = APIClient

    def preflight(self, origin: str, method: str = "PUT", path: str = URL) -> Any:
        return self.client.options(
            path,
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": ",".join(OUR_HEADERS),
            },
        )

    def test_a_preflight_needs_no_token_and_is_never_redirected(self) -> None:
        """B101: in both slash forms."""
        for path in (URL, URL.removesuffix("/"), "/api/no-such-path"):
            with self.subTest(path):
                response = self.preflight(OURS, path=path)

                self.assertEqual(response.status_code, 200)
                self.assertEqual(response.headers["Access-Control-Allow-Origin"], OURS)

    def test_a_preflight_allows_what_the_spa_needs(self) -> None:
        headers = self.preflight(OURS).headers

        methods = set(headers["Access-Control-Allow-Methods"].split(", "))
        self.assertEqual(methods, {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"})
        self.assertLessEqual(
            OUR_HEADERS,
            set(headers["Access-Control-Allow-Headers"].split(", ")),
        )
        self.assertEqual(headers["Access-Control-Allow-Credentials"], "true")

    def test_each_configured_origin_is_echoed_also_on_errors(self) -> None:
        for origin in (OURS, "https://hub.example.org"):
            for path, status in ((URL, 401), ("/api/health/live/", 200), ("/api/no-such-path/", 404)):
                with self.subTest(origin=origin, path=path):
                    response = self.client.get(path, headers={"Origin": origin})

                    self.assertEqual(response.status_code, status)
                    self.assertEqual(response.headers["Access-Control-Allow-Origin"], origin)
                    self.assertEqual(response.headers["Access-Control-Allow-Credentials"], "true")
                    self.assertIn("origin", response.headers["Vary"].lower())

    def test_the_spa_may_read_file_names_waits_request_ids_and_what_was_a_repeat(self) -> None:
        exposed = self.client.get(URL, headers={"Origin": OURS}).headers["Access-Control-Expose-Headers"]

        self.assertEqual(
            set(exposed.split(", ")),
            {"Content-Disposition", "ETag", "Idempotent-Replayed", "Retry-After", "X-Request-ID"},
        )

    def test_a_body_that_is_too_large_is_told_to_the_spa(self) -> None:
        response = self.client.post(URL, {}, headers={"Origin": OURS}, CONTENT_LENGTH="99999999999")

        self.assertEqual(response.status_code, 413)
        self.assertEqual(response.headers["Access-Control-Allow-Origin"], OURS)

    def test_a_foreign_origin_is_told_nothing(self) -> None:
        for origin in (
            FOREIGN,
            "null",
            f"{OURS}.evil.example",
            "http://localhost:51730",
            "https://localhost:5173",
        ):
            for response in (self.preflight(origin), self.client.get(URL, headers={"Origin": origin})):
                with self.subTest(origin=origin, status=response.status_code):
                    self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    def test_pages_outside_the_api_are_for_no_other_origin(self) -> None:
        for path in ("/admin/login/", "/auth/verify"):
            with self.subTest(path):
                response = self.client.get(path, headers={"Origin": OURS})
                self.assertNotIn("Access-Control-Allow-Origin", response.headers)
