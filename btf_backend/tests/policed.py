"""A tab of Chromium that tells what breaks a content security policy (B40)."""

from __future__ import annotations

from typing import Any, Final

from django.test import Client

from core.testing import BrowserTestCase
from users.tests.factories import make_superuser

PATIENCE_MS: Final = 180_000  # the document is made, and drawn, beside whatever else runs
WATCH: Final = """
document.addEventListener("securitypolicyviolation", e =>
    console.error("Violation: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample))
"""
# ReDoc draws it from a foreign host, which its policy forbids; nothing turns it off.
LOGO: Final = "https://cdn.redoc.ly/redoc/logo-mini.svg"
SMUGGLE: Final = """() => {
    const script = document.createElement("script")
    script.textContent = "window.ran = true"
    document.body.append(script)
    document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = true'>")
    return new Promise(done => setTimeout(() => done(window.ran === true), 300))
}"""


class PolicedCase(BrowserTestCase):
    """A superuser looks at pages."""

    def setUp(self) -> None:
        super().setUp()
        self.boss = make_superuser(password="correct horse battery")
        client = Client()
        client.force_login(self.boss)
        self.context = self.browser.new_context()
        self.addCleanup(self.context.close)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
        self.context.add_cookies([{**cookie, "url": self.live_server_url}])
        self.context.add_init_script(WATCH)
        self.told: list[str] = []
        self.context.on("console", lambda message: self.told.append(message.text))
        self.context.on("weberror", lambda error: self.told.append(str(error.error)))
        self.tab: Any = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE_MS)

    def broken(self) -> list[str]:
        """Return what the browser has said of policies, and of errors in scripts, since it was asked."""
        words = ("Violation", "Content Security Policy", "Permissions", "Error")
        told = [text for text in self.told if LOGO not in text and any(word in text for word in words)]
        self.told.clear()
        return told

    def open(self, path: str) -> Any:
        return self.tab.goto(f"{self.live_server_url}{path}")

    def assert_nothing_smuggled_runs(self) -> None:
        self.broken()

        self.assertFalse(self.tab.evaluate(SMUGGLE))
        self.assertTrue(any("script-src" in told for told in self.broken()))
