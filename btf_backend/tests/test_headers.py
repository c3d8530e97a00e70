"""Headers that every answer carries, and HTTPS where production asks for it (B109; SAFETY B40)."""

from __future__ import annotations

from django.test import Client, SimpleTestCase, override_settings

PATHS = ("/api/health/live/", "/api/users/me/", "/api/nope/", "/auth/verify", "/nope")
TWO_YEARS = 2 * 31_536_000


class HeaderTests(SimpleTestCase):
    def test_no_answer_may_be_framed_sniffed_or_tell_where_one_came_from(self) -> None:
        for path in PATHS:
            with self.subTest(path):
                headers = self.client.get(path).headers

                self.assertEqual(headers["X-Frame-Options"], "DENY")
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertIn(headers["Referrer-Policy"], {"same-origin", "no-referrer"})

    def test_no_cache_keeps_what_the_api_says(self) -> None:
        for path in PATHS:
            if path.startswith("/api/"):
                with self.subTest(path):
                    self.assertIn("no-store", self.client.get(path).headers["Cache-Control"])

    def test_no_answer_names_what_it_runs_on(self) -> None:
        for path in PATHS:
            with self.subTest(path):
                headers = str(self.client.get(path).headers).lower()
                for word in ("django", "python", "x-powered-by", "'server'"):
                    self.assertNotIn(word, headers)

    @override_settings(SECURE_HSTS_SECONDS=TWO_YEARS, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
    def test_production_asks_for_https_for_years(self) -> None:
        """B109."""
        header = Client().get(PATHS[0], secure=True).headers["Strict-Transport-Security"]

        self.assertTrue(header.startswith(f"max-age={TWO_YEARS}; includeSubDomains"))

    @override_settings(SECURE_SSL_REDIRECT=True)
    def test_pages_are_redirected_to_https_and_the_api_is_not(self) -> None:
        """B101: a redirect would break a preflight and drop a body."""
        client = Client()

        self.assertEqual(client.get("/admin/login/").status_code, 301)
        self.assertEqual([client.get(path).status_code for path in (PATHS[0], "/auth/verify")], [200, 200])

    @override_settings(SECURE_SSL_REDIRECT=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    def test_https_that_ends_at_the_proxy_is_https(self) -> None:
        response = Client().get("/auth/verify", headers={"X-Forwarded-Proto": "https"})

        self.assertEqual(response.status_code, 200)
