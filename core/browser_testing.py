"""What tests ask of a page in Chromium beside what it shows: whether everybody can use it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Final

# Of axe's four impacts, those that shut somebody out.
GRAVE: Final = ["serious", "critical"]
ASK: Final = """async ([within, grave]) => {
    const found = await axe.run(within || document, {resultTypes: ["violations"]})
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
