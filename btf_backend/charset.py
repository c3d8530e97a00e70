"""A guard before Django: it takes any codec's name from a Content-Type, and fails outside all middleware."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([^;\s\"]*)\"?", re.IGNORECASE)
TAKEN: Final = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1"}


class PlainCharset:
    """Drops a charset that is none of the web's own; the body is then read as UTF-8."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        named = CHARSET.search(environ.get("CONTENT_TYPE", ""))
        if named and named[1].lower() not in TAKEN:
            environ["CONTENT_TYPE"] = CHARSET.sub("", environ["CONTENT_TYPE"])
        return self.inner(environ, start_response)
