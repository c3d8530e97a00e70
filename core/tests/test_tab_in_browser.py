"""The tab that tests in Chromium share: to each it is a new one."""

from __future__ import annotations

import socket
from typing import Any, Final

from django.test import tag

from core.browser_testing import QUIET, SIZE, BrowserTestCase, kept_tab, leave, violations
from users.tests.factories import make_superuser

PATIENCE_SECONDS: Final = 30
WAY: Final = "/admin/login/password/"
WRITE: Final = """() => {
    window.name = "left"
    for (const store of [localStorage, sessionStorage]) store.setItem("left", "behind")
    addEventListener("pagehide", () => sessionStorage.setItem("left", "late"))
    return new Promise(done => { indexedDB.open("left").onsuccess = done })
}"""
FOUND: Final = """async () => [
    localStorage.left, sessionStorage.left, (await indexedDB.databases()).length, window.name,
    history.length, matchMedia("(prefers-color-scheme: dark)").matches]"""
# A button and a grey that shut somebody out; that there is no heading does not.
GRAVE_PAGE: Final = """<!doctype html><html lang="en"><title>x</title><main>
    <button></button><p style="color: #aaa; background: #fff">Who reads this?</p></main></html>"""


@tag("browser")
class KeptTabTests(BrowserTestCase):
    def test_nothing_of_one_test_comes_to_the_next(self) -> None:
        self.come_in_as(make_superuser())
        self.open(WAY)
        self.tab.evaluate(WRITE)
        self.tab.evaluate("window.open()")
        self.tab.emulate_media(color_scheme="dark")
        self.tab.set_viewport_size({"width": 320, "height": 320})

        leave(self.tab, self.live_server_url)

        tab: Any = kept_tab(self.browser)
        self.assertEqual(tab.url, "about:blank")
        self.assertEqual(tab.context.cookies(), [])
        self.assertEqual(tab.context.pages, [tab])
        self.assertEqual(tab.viewport_size, SIZE)
        self.open(WAY)
        self.assertEqual(tab.evaluate(FOUND), [None, None, 0, "", 2, False])

    def test_one_that_has_ended_hears_nothing(self) -> None:
        told: list[str] = []
        self.hear(self.tab, "console", lambda message: told.append(message.text))
        self.tab.evaluate("console.log('first')")

        self.doCleanups()

        self.tab.evaluate("console.log('second')")
        self.assertEqual(told, ["first"])

    def test_no_line_to_the_server_outlives_a_test(self) -> None:
        """It would lead to the server of this class when the next one has its address."""
        thread = self.server_thread
        with socket.create_connection((thread.host, thread.port), PATIENCE_SECONDS) as line:
            line.sendall(f"GET {QUIET} HTTP/1.1\r\nHost: {thread.host}\r\n\r\n".encode())
            self.assertTrue(line.recv(1))

            self.doCleanups()

            while line.recv(65_536):  # until its end, or that of the patience
                pass

    def test_what_shuts_somebody_out_is_found_and_nothing_else(self) -> None:
        self.tab.set_content(GRAVE_PAGE)

        found = {line.partition(" ")[0] for line in violations(self.tab)}

        self.assertEqual(found, {"button-name", "color-contrast"})
