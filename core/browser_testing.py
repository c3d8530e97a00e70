"""The tab in which tests look at pages, and what they ask of one beside what it shows."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any, ClassVar, Final

from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler

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
