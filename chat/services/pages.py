"""Pages of a conversation: those that a process read last are told again while they are true.

Whoever changes a message moves its conversation's revision on (``Conversation.register_change``), and that
comes with what a reader's rights are asked for. What changes without it is a person on the page: their name,
or that they are gone, and with them their reactions, their part in a message and the name of their file. So
the people are asked for each time (docs/adr/0023). Ask outside of transactions: what is read there may never
be true.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cachetools import TTLCache
from django.db import connection
from django.db.models import F

from chat.models import Message
from chat.models.lines import File
from chat.services.history import Page, conversation_of, first
from chat.texts import Written, told, written
from core.prepared import Among, Numbers, Prepared
from users.models import User
from users.names import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from chat.access import Reader
    from chat.models import Conversation
    from chat.models.lines import Line
    from core.uploads.links import Links
    from groups.models import Group

BYTES_KEPT: Final = 16 << 20  # of a process; a page of fifty messages weighs some 100 KiB
BYTES_OF_PAGE: Final = BYTES_KEPT // 64
SECONDS_KEPT: Final = 60  # what is changed in the database by hand is seen after that
PERSON: Final = 300  # bytes
PEOPLE: Final = Prepared(
    lambda: User.objects.filter(Among(F("pk"), Numbers("ids"))).order_by().values_list(*COLUMNS)
)


class Kept(NamedTuple):
    """What was read of a conversation for all of its moderators, or for all of the others."""

    stamp: tuple[Any, ...]
    messages: list[Written]  # one more than a page, where there are more
    is_shared: bool  # nothing waits for review, which each author would see of their own
    names: dict[int, Any]
    people: set[int]

    def holds(self, stamp: tuple[Any, ...]) -> bool:
        """Tell whether it is what one would read now."""
        return self.stamp == stamp and (not self.is_shared or self.knows_all())

    def knows_all(self) -> bool:
        """Tell whether everybody on it is there, and is called as they were."""
        now = {row[0]: row for row in PEOPLE.rows(ids=list(self.people))} if self.people else {}
        return now.keys() == self.people and self.names.items() <= now.items()

    @property
    def weight(self) -> int:
        return sum(message.weight for message in self.messages) + PERSON * (1 + len(self.people))


class Pages:
    """What is kept in this process: the pages that were asked for last, up to a sum of bytes."""

    def __init__(self, **options: Any) -> None:
        self.lock = Lock()
        self.kept: TTLCache[Any, Kept] = TTLCache(
            BYTES_KEPT, SECONDS_KEPT, getsizeof=lambda kept: kept.weight, **options
        )

    def get(self, key: Any) -> Kept | None:
        """Return what is kept of a page. Whatever has grown too old goes now: it is people's words."""
        with self.lock:
            self.kept.expire()
            return self.kept.get(key)

    def put(self, key: Any, kept: Kept) -> None:
        with self.lock:
            self.kept.pop(key, None)
            # SQLite gives the id of a conversation that was rolled back to the next one.
            if connection.vendor == "postgresql" and kept.weight <= BYTES_OF_PAGE:
                self.kept[key] = kept

    def clear(self) -> None:
        with self.lock:
            self.kept.clear()


PAGES: Final = Pages()


def page_before(
    group: Group, reader: Reader, links: Links, *, before: datetime | None, limit: int
) -> Page[Any]:
    """Return the newest messages older than a moment, newest first, as the reader reads them.

    One query: for the people of a page that is kept, or for its messages. Two where the people have changed,
    or where something waits for review.
    """
    conversation = conversation_of(group)
    if conversation.pk is None:  # nobody has said anything
        return Page([], has_more=False, revision=0)
    kept = page_for_all(conversation, before, limit, as_moderator=reader.is_moderator)
    if kept.is_shared:
        found: list[Any] = kept.messages
        messages: list[Any] = [message.told(reader, links) for message in kept.messages[:limit]]
    else:
        found = own_lines(conversation, before, limit, reader)
        messages = [told(line, reader, links) for line in found[:limit]]
    return Page(messages, len(found) > limit, conversation.last_revision)


def page_for_all(
    conversation: Conversation, before: datetime | None, limit: int, *, as_moderator: bool
) -> Kept:
    """Return what all of the moderators, or of the others, read; what is kept where that still holds."""
    key = (conversation.pk, before, limit, as_moderator)
    # Revisions alone would do, but where a server took over that had not heard of the last ones.
    stamp = (conversation.last_revision, conversation.last_seq, conversation.last_created_at)
    kept = PAGES.get(key)
    if kept is not None and kept.holds(stamp):
        return kept
    group = conversation.group_id
    lines = first(kind_of(before), limit + 1, as_moderator=as_moderator, group=group, before=before)
    kept = kept_of(lines, stamp, as_moderator=as_moderator)
    PAGES.put(key, kept)
    return kept


def own_lines(conversation: Conversation, before: datetime | None, limit: int, reader: Reader) -> list[Line]:
    """Return what somebody reads who is no moderator: their own that waits for review, too."""
    asked = {"group": conversation.group_id, "user": reader.user_id, "before": before}
    return first(f"own {kind_of(before)}", limit + 1, as_moderator=False, **asked)


def kind_of(before: datetime | None) -> str:
    return "older" if before else "newest"


def kept_of(lines: list[Line], stamp: tuple[Any, ...], *, as_moderator: bool) -> Kept:
    if not as_moderator and any(map(waits, lines)):
        return Kept(stamp, [], is_shared=False, names={}, people=set())
    names = dict(names_on(lines))
    people = {*names, *(pk for line in lines for pk in people_on(line) if pk is not None)}
    messages = [written(line, as_moderator=as_moderator) for line in lines]
    return Kept(stamp, messages, is_shared=True, names=names, people=people)


def names_on(lines: list[Line]) -> Iterator[tuple[int, Any]]:
    """Yield whoever stands there by name."""
    for line in lines:
        for by in (line, line.quote):
            if by and by.author:
                yield by.author.pk, by.author


def people_on(line: Line) -> Iterator[int | None]:
    """Yield whoever else could take something of the message along when they go."""
    yield from (line.deleted_by_id, line.moderated_by_id, *(line.mention_ids or ()))
    yield from (user for _, user in line.reaction_rows or ())
    yield from (file.owner_id for file in line.files if isinstance(file, File))


def waits(line: Line) -> bool:
    return line.sight == Message.Sight.AUTHOR
