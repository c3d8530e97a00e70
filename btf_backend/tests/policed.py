"""A tab of Chromium that tells what breaks a content security policy (B40)."""

from __future__ import annotations

from typing import Final

from core.browser_testing import BrowserTestCase
from users.tests.factories import make_superuser

PATIENCE_MS: Final = 180_000  # the document is made, and drawn, beside whatever else runs
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
        self.come_in_as(self.boss)
        self.context = self.tab.context
        self.told: list[str] = []
        self.hear(self.context, "console", lambda message: self.told.append(message.text))
        self.hear(self.context, "weberror", lambda error: self.told.append(str(error.error)))
        self.tab.set_default_timeout(PATIENCE_MS)

    def broken(self) -> list[str]:
        """Return what the browser has said of policies, and of errors in scripts, since it was asked."""
        words = ("Violation", "Content Security Policy", "Permissions", "Error")
        told = [text for text in self.told if LOGO not in text and any(word in text for word in words)]
        self.told.clear()
        return told

    def assert_nothing_smuggled_runs(self) -> None:
        self.broken()

        self.assertFalse(self.tab.evaluate(SMUGGLE))
        self.assertTrue(any("script-src" in told for told in self.broken()))
