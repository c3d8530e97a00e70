"""Messages as text: written once for all in a process who read the same (D20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from chat.access import Reader
from chat.rendering import document_of, is_stored, render, with_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.models.lines import Line
    from chat.rendering import Document
    from core.uploads.links import Links

NOBODY_HERE: Final = -1  # has written nothing; 0 is whoever has been erased
BESIDE: Final = 500  # bytes of what Python keeps beside two texts


class Texts:
    """What is made of one document, once for all who read the same.

    Those are the moderators, and all others, but for whoever wrote the message or what it quotes; links to
    files are everybody's own.
    """

    def __init__(self, document: Document) -> None:
        self.has_files, self.writers = has_files(document), writers_of(document)
        self.made: dict[tuple[bool, int | None], Any] = {}

    def once(self, reader: Reader, make: Callable[[], Any]) -> Any:
        """Return what ``make`` has made for a reader like this one."""
        is_own = self.has_files or reader.user_id in self.writers
        kind = (reader.is_moderator, reader.user_id if is_own else None)
        if kind not in self.made:
            self.made[kind] = make()
        return self.made[kind]


class Written(NamedTuple):
    """A message as it is kept for readers of one class: moderators, or all others."""

    document: bytes
    shared: orjson.Fragment | None  # as those read it who have no text of their own; None where everybody has
    sight: str
    own: dict[int, orjson.Fragment | None]  # of whoever wrote it, or what it quotes; None until they read it

    def told(self, reader: Reader, links: Links) -> orjson.Fragment:
        """Return it as JSON for one of them. Links are signed each time, for they age."""
        if self.shared is None:
            return self.fragment(reader, links)
        if reader.user_id not in self.own:
            return self.shared
        fragment = self.own[reader.user_id]
        if fragment is None:
            fragment = self.own[reader.user_id] = self.fragment(reader, links)
        return fragment

    def fragment(self, reader: Reader, links: Links) -> orjson.Fragment:
        return fragment_for(orjson.loads(self.document), self.sight, reader, links)

    @property
    def weight(self) -> int:
        """Return how many bytes it takes in the end."""
        return len(self.document) * (2 + len(self.own)) + BESIDE


def written(line: Line, *, as_moderator: bool) -> Written:
    document, stranger = document_of(line), Reader(NOBODY_HERE, as_moderator)
    shared = None if has_files(document) else fragment_for(document, line.sight, stranger, None)
    own = dict.fromkeys(writers_of(document))
    return Written(exact(orjson.dumps(document)), shared, line.sight, own)


def told(line: Line, reader: Reader, links: Links) -> Document:
    """Return a message as somebody reads it, of which nothing is kept."""
    return with_links(render(document_of(line), reader, sight=line.sight), links)


def fragment_for(document: Document, sight: str, reader: Reader, links: Links | None) -> orjson.Fragment:
    rendered = render(document, reader, sight=sight)
    return orjson.Fragment(exact(orjson.dumps(with_links(rendered, links) if links else rendered)))


def exact(text: bytes) -> bytes:
    """Return a copy: what orjson writes takes 4 KiB for as long as it lives."""
    return bytes(memoryview(text))


def has_files(document: Document) -> bool:
    return any(is_stored(file) for file in document["attachments"])


def writers_of(document: Document) -> set[int]:
    """Return who reads more than others: whoever wrote it, or what it quotes."""
    return {by["author"]["id"] for by in (document, document["replyTo"]) if by}
