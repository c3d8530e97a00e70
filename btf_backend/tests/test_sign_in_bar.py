"""From ``make run`` to a signed-in ``users/me`` in Swagger: in Chromium, by the keyboard alone."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.conf import settings
from django.test import TestCase, override_settings, tag

from btf_backend.tests.laptop import Laptop
from core.browser_testing import BrowserTestCase, violations
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_MS: Final = 60_000
NOT_GOOD: Final = "not.a.token"
FOCUSED: Final = "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
AUTHORIZED: Final = "ui.authSelectors.authorized().size"
USE_TOKEN: Final = """token => {
    const [name, held] = Object.entries(ui.authSelectors.authorized().toJS())[0]
    ui.authActions.authorize({[name]: {...held, value: token}})
}"""
REFRESH: Final = "**/api/auth/refresh/"
LOST: Final[dict[Callable[[Any], None], str]] = {
    lambda route: route.abort(): "The server does not answer.",
    lambda route: route.fulfill(status=503): "The server answered 503.",
}
END_SESSION: Final = """() => fetch("/api/auth/logout/", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: sessionStorage.getItem("docs.session"),
})"""


class NoBarTests(TestCase):
    """Whoever reads the documentation elsewhere than on a laptop sees no word of it."""

    def words(self) -> str:
        return self.client.get("/api/docs/").content.decode()

    @override_settings(EMBEDDED=True, DEBUG=True, API_DOCS_PUBLIC=True)
    def test_it_stands_where_the_demo_people_are(self) -> None:
        self.assertNotIn("sign_in_bar", self.words())

        make_user(email="mentor@example.org")

        self.assertIn("sign_in_bar.js", self.words())
        self.assertIn("mentor: mentor@example.org", self.words())
        self.assertNotIn("student@example.org", self.words())

    def test_it_stands_nowhere_else(self) -> None:
        make_user(email="student@example.org")
        self.client.force_login(make_admin(is_staff=True))
        for profile in ({"EMBEDDED": False, "DEBUG": True}, {"EMBEDDED": True, "DEBUG": False}):
            for is_public in (True, False):
                with self.subTest(profile=profile, is_public=is_public):
                    with override_settings(**profile, API_DOCS_PUBLIC=is_public):
                        page = self.words()

                    self.assertIn("swagger-ui", page)
                    self.assertNotRegex(page, r"(?i)sign.in|example\.org|demo|code")


@tag("browser")
@skipUnless(settings.EMBEDDED, "The bar is of the embedded profile.")
class SignInBarTests(BrowserTestCase):
    """Nothing here clicks."""

    laptop: Laptop

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.laptop = Laptop()
        cls.addClassCleanup(cls.laptop.remove)
        cls.laptop.start()
        cls.addClassCleanup(cls.laptop.stop)

    def setUp(self) -> None:
        super().setUp()
        self.tab: Any = self.browser.new_page()
        self.addCleanup(self.tab.close)
        self.tab.set_default_timeout(PATIENCE_MS)
        self.press: Callable[[str], None] = self.tab.keyboard.press

    def go_to(self, name: str, key: str = "Tab") -> None:
        """Press a key until the focus is on what has this name."""
        for _ in range(30):
            self.press(key)
            if self.tab.evaluate(FOCUSED) == name:
                return
        self.fail(f"{key} does not come to {name}.")

    def press_on(self, name: str, key: str = "Tab") -> None:
        self.go_to(name, key)
        self.press("Enter")

    def type_code(self, code: str) -> None:
        """Type where the focus is, which must be the code's field."""
        self.assertEqual(self.tab.evaluate(FOCUSED), "Six-digit code")
        self.tab.keyboard.type(code)
        self.press("Enter")

    def assert_told(self, words: str) -> None:
        """Wait until the live region says so."""
        self.tab.get_by_role("status").filter(has_text=words).wait_for()

    def assert_usable(self, within: str = "") -> None:
        self.assertEqual(violations(self.tab, within), [])

    def mailed_code(self, address: str) -> str:
        mail = rf"To: {re.escape(address)}\n.*?One-Time Code: (\d{{6}})"
        until = time.monotonic() + PATIENCE_MS / 1_000
        while not (codes := re.findall(mail, self.laptop.told(), re.DOTALL)):
            self.assertLess(time.monotonic(), until, "no mail")
            time.sleep(0.1)
        return str(codes[-1])

    def sign_in(self) -> None:
        self.press_on("Send the code")
        self.assert_told("A code for student@example.org is on its way")
        self.press_on("Send the code", "Shift+Tab")
        self.assert_told("Too many requests. Please wait and try again. Try again in")
        self.go_to("Six-digit code")
        code = self.mailed_code("student@example.org")
        self.type_code(f"{(int(code) + 1) % 1_000_000:06}")
        self.assert_told("This code or link is not valid any more.")
        self.assert_usable("#sign-in-bar")
        self.type_code(code)
        self.assert_told("Signed in as Sam Nguyen (student).")

    def execute(self) -> None:
        self.press_on("Execute")
        self.tab.get_by_text('"student@example.org"').first.wait_for()

    def execute_again(self) -> None:
        """Press the button that Swagger has drawn anew, and from which it took the focus thereby."""
        self.tab.get_by_role("button", name="Execute").focus()
        self.press("Enter")

    def test_a_newcomer_comes_from_the_welcome_page_to_their_own_document(self) -> None:
        self.tab.goto(self.laptop.base)
        self.assert_usable()
        self.press_on("Swagger")
        self.tab.get_by_role("button", name="GET").first.wait_for()
        self.assert_usable("#sign-in-bar")

        self.sign_in()
        self.assertEqual(self.tab.evaluate(AUTHORIZED), 1)
        self.assert_usable("#sign-in-bar")
        self.assertEqual(self.tab.evaluate(FOCUSED), "Try GET /api/users/me/")
        self.press("Enter")
        self.assert_told("Opened below")
        self.press_on("Try it out")
        self.execute()

        self.see_the_token_run_out()
        self.see_a_renewal_that_gets_lost()
        self.see_the_session_end()

    def see_the_token_run_out(self) -> None:
        self.tab.evaluate(USE_TOKEN, NOT_GOOD)
        self.execute_again()
        self.assert_told("was renewed for Sam Nguyen")
        self.tab.reload()
        self.assert_told("Signed in as Sam Nguyen (student).")
        self.tab.locator(".btn.authorize.locked").wait_for()
        self.press_on("Try GET /api/users/me/")
        self.assert_told("Opened below")
        self.press_on("Try it out")
        self.execute()

    def see_a_renewal_that_gets_lost(self) -> None:
        """The session is kept: it was neither refused nor ended."""
        for lose, words in LOST.items():
            self.tab.route(REFRESH, lose)
            self.tab.evaluate(USE_TOKEN, NOT_GOOD)
            self.execute_again()
            self.assert_told(f"and is not renewed. {words}")
            self.tab.unroute(REFRESH)
        self.assertEqual(self.tab.evaluate(AUTHORIZED), 1)
        self.execute_again()
        self.assert_told("was renewed for Sam Nguyen")

    def see_the_session_end(self) -> None:
        self.tab.evaluate(END_SESSION)
        self.execute_again()
        self.assert_told("The session is over (401). Sign in again.")
        self.assertEqual(self.tab.evaluate(AUTHORIZED), 0)
        self.laptop.stop()
        self.press_on("Send the code")
        self.assert_told("The server does not answer.")
