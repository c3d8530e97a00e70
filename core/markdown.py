"""Markdown that people write, as HTML that every page may show. Nothing that it names is fetched."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

# An address without a scheme would lead to wherever the page stands that shows it.
LINK: Final = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
TAGS: Final = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code"),
    *("em", "strong", "s", "a", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES: Final = {"http", "https", "mailto"}
# HTML may have so many bytes for each byte of its text, and some more: what people write stays below.
GROWTH: Final = 10
SPARE: Final = 1_000
KEPT: Final = 512
LARGEST_KEPT: Final = 50_000
EMPTY_CELLS: Final = 50


class TooLarge(Exception):
    """HTML that is not kept."""


def words_of_image(renderer: Any, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    """Show an image's words: nobody's browser calls the host where the picture lies."""
    return escapeHtml(renderer.renderInlineAsText(tokens[at].children or [], options, env))


def written_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's
    """Read a table, where most of its cells were written: a wide head above short rows stays text."""
    if not table(state, start, end, True):  # noqa: FBT003 - the library's
        return False
    stop = next((line for line in range(start, end) if state.isEmpty(line)), end)
    width = state.src.count("|", state.bMarks[start], state.eMarks[start])
    bars = state.src.count("|", state.bMarks[start], state.eMarks[stop - 1])
    return width * (stop - start) <= 2 * bars + EMPTY_CELLS and (silent or table(state, start, end, silent))


def parser() -> MarkdownIt:
    """Return a parser of CommonMark with tables and strikethrough. HTML in the text stays text.

    Every link says where it leads: one definition, named a thousand times, would be a thousand addresses.
    """
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("reference")
    made.block.ruler.at("table", written_table, {"alt": ["paragraph", "reference"]})
    made.validateLink = lambda url: bool(LINK.match(url))  # type: ignore[method-assign]
    made.add_render_rule("image", words_of_image)
    return made


PARSER: Final = parser()


def safe_html(text: str) -> str:
    """Return the HTML of a Markdown text. A link of another kind, or that leads nowhere, stays text."""
    try:
        return kept_html(text)
    except TooLarge as large:
        return str(large)


@lru_cache(maxsize=KEPT)
def kept_html(text: str) -> str:
    """Return the HTML of a text, and keep it. Raises TooLarge with what is too large to be kept."""
    html = fresh_html(text)
    if len(html) > LARGEST_KEPT:
        raise TooLarge(html)
    return html


def fresh_html(text: str) -> str:
    """Return the HTML of a text; where that would be out of all proportion, the text as one paragraph."""
    html = sanitised(PARSER.render(text))
    if len(html.encode()) <= GROWTH * len(text.encode()) + SPARE:
        return html
    return sanitised(f"<p>{escapeHtml(text)}</p>\n")


def sanitised(html: str) -> str:
    """Return the HTML with nothing in it but what we allow: the second gate, should the parser fail."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="nofollow noopener noreferrer",
    )
