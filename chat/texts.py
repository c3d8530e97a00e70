"""Messages as text: written once for all in a process who read the same (D20)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from chat.rendering import document_of, is_stored, render, with_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.access import Reader
    from chat.models.lines import Line
    from chat.rendering import Document
    from core.uploads.links import Links


class Texts:
    """What is made of one document, once for all who read the same.

    Those are the moderators, and all others, but for whoever wrote the message or what it quotes; links to
    files are everybody's own.
    """

    def __init__(self, document: Document) -> None:
        self.has_files = any(is_stored(file) for file in document["attachments"])
        self.writers = {written["author"]["id"] for written in (document, document["replyTo"]) if written}
        self.made: dict[tuple[bool, int | None], Any] = {}

    def once(self, reader: Reader, make: Callable[[], Any]) -> Any:
        """Return what ``make`` has made for a reader like this one."""
        is_own = self.has_files or reader.user_id in self.writers
        kind = (reader.is_moderator, reader.user_id if is_own else None)
        if kind not in self.made:
            self.made[kind] = make()
        return self.made[kind]


class Written:
    """A message that may be told to many, and again later."""

    def __init__(self, line: Line) -> None:
        self.document, self.sight = document_of(line), line.sight
        self.texts = Texts(self.document)

    def told(self, reader: Reader, links: Links) -> orjson.Fragment:
        """Return it as JSON for a reader. Links are signed each time, for they age."""
        make = partial(self.fragment, reader, links)
        fragment: orjson.Fragment = make() if self.texts.has_files else self.texts.once(reader, make)
        return fragment

    def fragment(self, reader: Reader, links: Links) -> orjson.Fragment:
        rendered = render(self.document, reader, sight=self.sight)
        return orjson.Fragment(orjson.dumps(with_links(rendered, links)))
