"""Tests in Chromium: its tab, which they share, and what they ask of a page beside what it shows."""

from __future__ import annotations

import os
import shutil
import socket
import unittest
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, Final
from unittest.mock import patch

from django.conf import settings
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.core.cache import caches
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import Client
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler
from rest_framework.test import APIClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from users.models import User

# What Playwright leaves out, since the last such flag alone counts; and what Chromium draws below the bar for
# addresses, in each window anew and unseen: it costs more than our pages do.
FEATURES_LEFT_OUT: Final = (
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "AimEnabled",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
)
CHROMIUMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    f"--disable-features={','.join(FEATURES_LEFT_OUT)}",
)
SIZE: Final = {"width": 1280, "height": 720}
PATIENCE_MS: Final = 60_000  # beside whatever else runs
WATCH: Final = """
document.addEventListener("securitypolicyviolation", e =>
    console.error("Violation: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample))
"""
# A page of ours without scripts and without a word of openers, for which Chromium would change the process.
QUIET: Final = "/static/admin/img/search.svg"

# Of axe's four impacts, those that shut somebody out.
GRAVE: Final = ["serious", "critical"]
ASK: Final = """async ([within, grave]) => {
    // The impact of a rule is that of all it finds: the others would be asked for nothing.
    const others = axe._audit.rules.filter(rule => !grave.includes(rule.impact))
    const rules = Object.fromEntries(others.map(rule => [rule.id, {enabled: false}]))
    const found = await axe.run(within || document, {resultTypes: ["violations"], rules})
    return found.violations.filter(rule => grave.includes(rule.impact)).flatMap(rule => rule.nodes.map(
        node => `${rule.id} (${rule.impact}): ${node.target.join(" ")}: ${node.failureSummary}`))
}"""


@cache
def axe() -> str:
    """Return the script of axe-core: the package file of npm, as a wheel ships it."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Any, within: str = "") -> list[str]:
    """Return what axe-core calls serious or critical in a Playwright page, one line for each element.

    ``within`` is a CSS selector that narrows it. The script comes through the browser's debugger, which the
    page's content security policy does not bind: the page is judged as it is served.
    """
    page.evaluate(axe())
    found: list[str] = page.evaluate(ASK, [within, GRAVE])
    return found


def kept_tab(browser: Any) -> Any:
    """Return the one tab that a browser keeps.

    A process of Chromium that has drawn a page draws the next one of the same host in a third of the time,
    and each new tab would have a new one.
    """
    if not browser.contexts:
        browser.new_context(viewport=SIZE).add_init_script(WATCH)
    (context, *_) = browser.contexts
    (tab, *_) = context.pages or [context.new_page()]
    tab.set_default_timeout(PATIENCE_MS)
    return tab


def leave(tab: Any, origin: str) -> None:
    """Make of the kept tab a new one: nothing of this test comes to the next."""
    tab.goto(f"{origin}{QUIET}")
    tab.goto("about:blank")
    for page in tab.context.pages:
        if page != tab:
            page.close()
    session = tab.context.new_cdp_session(tab)
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    session.send("Page.resetNavigationHistory")
    session.detach()
    tab.context.clear_cookies()
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size(SIZE)


class ServerThatHangsUp(ThreadedWSGIServer):
    """Ends what a browser would keep open, and what would answer it when the next class has its server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.lines.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for line in list(self.lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class ThreadThatHangsUp(LiveServerThread):
    """Serves a class of tests at the address of the last one, whence Chromium has our scripts and styles."""

    server_class = ServerThatHangsUp
    last_port: ClassVar = 0

    def _create_server(self, connections_override: Any = None) -> ServerThatHangsUp:
        def on(port: int) -> ServerThatHangsUp:
            return ServerThatHangsUp(
                (self.host, port), QuietWSGIRequestHandler, connections_override=connections_override
            )

        try:
            server = on(self.last_port)
        except OSError:  # somebody else has it by now
            server = on(0)
        ThreadThatHangsUp.last_port = server.server_port
        return server


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless Chromium, and end it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - where there is a browser

    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    # The driver runs an event loop in this thread, which Django would take for async code.
    allow = patch.dict(os.environ, {"DJANGO_ALLOW_ASYNC_UNSAFE": "true"})
    with allow, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class BrowserTestCase(StaticLiveServerTestCase):
    """A live server and a tab of a headless Chromium; tag its tests ``browser``.

    The tab is kept from test to test, and comes as a new one: empty, light, ``SIZE`` large, without cookies.
    """

    client_class = APIClient
    server_thread_class = ThreadThatHangsUp
    kept: ExitStack | None = None  # what ends with the suite
    browser: Any = None
    tab: Any

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if cls.kept is None:
            cls.browser = cls.enterClassContext(chromium())
        elif cls.browser is None:
            BrowserTestCase.browser = cls.kept.enter_context(chromium())

    def setUp(self) -> None:
        caches["default"].clear()
        self.tab = kept_tab(self.browser)
        self.addCleanup(self.server_thread.httpd.hang_up)
        self.addCleanup(leave, self.tab, self.live_server_url)

    def open(self, path: str) -> Any:
        """Go to a page of ours; return what the server answered."""
        return self.tab.goto(f"{self.live_server_url}{path}")

    def come_in_as(self, person: User) -> None:
        """Make the tab that of somebody who has signed in at the admin site, and of nobody else."""
        client = Client()
        client.force_login(person)
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.tab.context.clear_cookies()
        self.tab.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": self.live_server_url}]
        )

    def hear(self, source: Any, event: str, listener: Callable[[Any], object]) -> None:
        """Listen to the tab, or to its context, until the test ends."""
        source.on(event, listener)
        self.addCleanup(source.remove_listener, event, listener)


class BrowserSuite(unittest.TestSuite):
    """Tests of several classes, in one Chromium: to start it and to draw a first page takes seconds."""

    def run(self, result: Any, debug: bool = False) -> Any:  # noqa: FBT001, FBT002 - unittest's signature
        with ExitStack() as kept, patch.multiple(BrowserTestCase, kept=kept, browser=None):
            return super().run(result, debug)
