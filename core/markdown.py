"""Markdown that people write, as HTML that every page may show. Nothing that it names is fetched."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

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
# Texts; what is kept for one is some 50 kB at most.
KEPT: Final = 512


def words_of_image(renderer: Any, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    """Show an image's words: nobody's browser calls the host where the picture lies."""
    return escapeHtml(renderer.renderInlineAsText(tokens[at].children or [], options, env))


def parser() -> MarkdownIt:
    """Return a parser of CommonMark with tables and strikethrough. HTML in the text stays text."""
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = lambda url: bool(LINK.match(url))  # type: ignore[method-assign]
    made.add_render_rule("image", words_of_image)
    return made


PARSER: Final = parser()


@lru_cache(maxsize=KEPT)
def safe_html(text: str) -> str:
    """Return the HTML of a Markdown text. A link of another kind, or that leads nowhere, stays text."""
    return sanitised(PARSER.render(text))


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
