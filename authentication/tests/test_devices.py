"""Browsers: how they are called, and the cookie by which an account knows one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from django.http import HttpResponse
from django.test import RequestFactory, SimpleTestCase, override_settings

from authentication.devices import COOKIE, Browser, browser_of, device_label, remember

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0": "Firefox on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1": "Mobile Safari on iOS",
    "curl/8.5.0": "curl",
    "": "",
    "x" * 5_000: "x" * 40,
    "Grüße 🧬": "Grüße 🧬",
}


class LabelTests(SimpleTestCase):
    def test_a_device_is_called_by_browser_and_system(self) -> None:
        for agent, label in AGENTS.items():
            with self.subTest(agent[:30]):
                self.assertEqual(device_label(agent), label)


class CookieTests(SimpleTestCase):
    def sent_back(self, response: HttpResponse) -> Browser | None:
        request = RequestFactory().get("/")
        request.COOKIES[COOKIE] = response.cookies[COOKIE].value
        return browser_of(request)

    def test_a_browser_comes_back_with_the_accounts_it_knows(self) -> None:
        response = HttpResponse()
        remember(response, Browser("b1", ("a1",)), "a2")

        browser = self.sent_back(response)

        self.assertEqual(browser, Browser("b1", ("a2", "a1")))
        assert browser
        self.assertEqual([browser.knows(name) for name in ("a1", "a2", "a3")], [True, True, False])

    def test_it_knows_the_last_eight(self) -> None:
        browser: Browser | None = None
        for number in range(10):
            response = HttpResponse()
            remember(response, browser, f"a{number}")
            browser = self.sent_back(response)

        assert browser
        self.assertEqual(browser.accounts, tuple(f"a{number}" for number in range(9, 1, -1)))

    def test_scripts_cannot_read_it_and_it_goes_to_sign_in_alone(self) -> None:
        response = HttpResponse()
        with override_settings(PRODUCTION=True):
            remember(response, None, "a1")

        cookie = response.cookies[COOKIE]
        self.assertEqual(
            (cookie["httponly"], cookie["path"], cookie["samesite"]), (True, "/api/auth/", "None")
        )
        self.assertTrue(cookie["secure"])

    def test_forged_old_and_missing_cookies_are_no_browser(self) -> None:
        response = HttpResponse()
        remember(response, None, "a1")
        value = response.cookies[COOKIE].value
        for text in ("", "b1.a1", value[:-1], value.replace("a1", "a2", 1)):
            request = RequestFactory().get("/")
            request.COOKIES[COOKIE] = text
            self.assertIsNone(browser_of(request))
        with time_machine.travel(datetime.now(UTC) + timedelta(days=181)):
            self.assertIsNone(self.sent_back(response))
