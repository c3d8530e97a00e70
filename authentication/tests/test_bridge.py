"""The page behind the mailed link: inert until a person clicks."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import override_settings, tag

from authentication.models import SignInSession
from authentication.tests.signing_in import ADDRESS, SignInTestCase, mailed, redeem_link
from core.browser_testing import BrowserTestCase

URL = "/auth/verify"


class BridgePageTests(SignInTestCase):
    def test_get_and_head_consume_nothing_and_set_no_cookie(self) -> None:
        """B6, B7, SAFETY B07: scanners send HEAD, then GET, from elsewhere."""
        token = mailed(self.client).token
        for method in ("head", "get", "get"):
            response = getattr(self.client, method)(URL, {"token": token}, REMOTE_ADDR="203.0.113.7")
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.cookies, {})
            self.assertEqual(
                (response["Cache-Control"], response["Referrer-Policy"]), ("no-store", "no-referrer")
            )

        self.assertEqual(redeem_link(self.client, token).status_code, 200)

    def test_the_page_never_holds_the_token(self) -> None:
        token = mailed(self.client).token

        self.assertNotIn(token, self.client.get(URL, {"token": token}).content.decode())

    def test_its_policy_lets_only_its_own_script_run(self) -> None:
        first, second = (self.client.get(URL) for _ in range(2))
        nonce = re.search(r"script-src 'nonce-([\w-]+)'", first["Content-Security-Policy"])

        assert nonce
        self.assertIn(f'<script nonce="{nonce[1]}">', first.content.decode())
        self.assertNotIn(nonce[1], second["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", first["Content-Security-Policy"])

    def test_a_post_trades_the_token_once_without_a_csrf_cookie(self) -> None:
        client = self.client_class(enforce_csrf_checks=True)
        body = {"token": mailed(self.client).token}
        answers = [client.post(URL, body, format="json") for _ in range(2)]

        self.assertEqual([answer.status_code for answer in answers], [200, 400])
        self.assertEqual(set(answers[0].json()), {"token", "refresh_token", "user"})
        self.assertIn("error", answers[1].json())

    def test_other_verbs_are_refused(self) -> None:
        self.assertEqual(
            [self.client.generic(verb, URL).status_code for verb in ("PUT", "DELETE")], [405, 405]
        )


@tag("browser")
class BridgeInChromiumTests(BrowserTestCase):
    def come_with(self, token: str) -> Any:
        home = override_settings(FRONTEND_BASE_URL=self.live_server_url)
        home.enable()
        self.addCleanup(home.disable)
        self.open(f"{URL}?token={token}")
        return self.tab

    def test_loading_the_page_three_times_consumes_nothing(self) -> None:
        """SAFETY B07: a scanner with a scripted Chrome, one that also presses every button by script."""
        token = mailed(self.client_class()).token
        for _ in range(3):
            page = self.come_with(token)
            page.evaluate("document.querySelectorAll('button').forEach(button => button.click())")
            page.wait_for_timeout(200)

        self.assertFalse(SignInSession.objects.exists())
        self.assertEqual(redeem_link(self.client_class(), token).status_code, 200)

    def test_a_click_signs_in_and_goes_to_the_dashboard(self) -> None:
        page = self.come_with(mailed(self.client_class()).token)
        self.assertNotIn("token", page.url)

        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/#/dashboard")

        session = json.loads(page.evaluate("localStorage.getItem('auth.session')"))
        self.assertEqual(set(session), {"user", "accessToken", "refreshToken"})
        self.assertEqual(session["user"]["email"], ADDRESS)
        answer = page.request.get(
            f"{self.live_server_url}/api/users/me/",
            headers={"Authorization": f"Bearer {session['accessToken']}"},
        )
        self.assertEqual(answer.status, 200)

    def test_the_keyboard_is_enough(self) -> None:
        page = self.come_with(mailed(self.client_class()).token)

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/#/dashboard")

        self.assertEqual(SignInSession.objects.count(), 1)

    def test_a_used_link_says_so_and_offers_a_new_one(self) -> None:
        token = mailed(self.client_class()).token
        redeem_link(self.client_class(), token)
        page = self.come_with(token)

        page.get_by_role("button", name="Sign in").click()
        link = page.get_by_role("link", name="Request a new link")
        link.wait_for()

        self.assertEqual(link.get_attribute("href"), f"{self.live_server_url}/#/login")
        self.assertIsNone(page.evaluate("localStorage.getItem('auth.session')"))

    def test_a_link_without_its_token_says_so(self) -> None:
        page = self.come_with("")

        self.assertIn("not complete", page.get_by_role("alert").inner_text())
