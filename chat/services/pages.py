"""Pages of a conversation: kept in the process for as long as they show what the database holds.

Whoever changes a message moves its conversation's revision on (``Conversation.register_change``), and that
comes with what a reader's rights are asked for. What changes without it is a person on the page: their name,
or that they are gone, and with them their reactions, their part in a message and the name of their file. So
the people are asked for each time.
"""

from __future__ import annotations

from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection
from django.db.models import F

from chat.models import Message
from chat.services.history import Page, conversation_of, first
from chat.texts import Written
from core.prepared import Among, Numbers, Prepared
from users.models import User
from users.names import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from chat.access import Reader
    from chat.models import Conversation
    from chat.models.lines import Line
    from groups.models import Group

PAGES_KEPT: Final = 128  # of a process; one of fifty messages takes some 200 KiB
CHARACTERS_KEPT: Final = 50_000  # of a page; a longer one is read each time
# What is changed in the database by hand is seen after a while, too.
SECONDS_KEPT: Final = 60
PEOPLE: Final = Prepared(
    lambda: User.objects.filter(Among(F("pk"), Numbers("ids"))).order_by().values_list(*COLUMNS)
)


class Kept(NamedTuple):
    """What was read of a conversation for all of its moderators, or for all of the others."""

    revision: int
    until: float  # by the monotonic clock
    messages: list[Written]  # and one more, where there are more
    is_shared: bool  # nothing waits for review, which each author would see of their own
    names: dict[int, Any]
    people: set[int]

    def holds(self, revision: int) -> bool:
        """Tell whether it is what one would read now."""
        is_new = self.revision == revision and monotonic() < self.until
        return is_new and (not self.is_shared or self.knows_all())

    def knows_all(self) -> bool:
        """Tell whether everybody on it is there, and is called as they were."""
        now = {row[0]: row for row in PEOPLE.rows(ids=list(self.people))} if self.people else {}
        return now.keys() == self.people and self.names.items() <= now.items()


class Place:
    """Where a page is kept, the last that was read."""

    kept: Kept | None = None


@lru_cache(PAGES_KEPT)
def place_of(conversation_id: int, before: datetime | None, limit: int, *, as_moderator: bool) -> Place:
    return Place()


def page_before(group: Group, reader: Reader, *, before: datetime | None, limit: int) -> Page[Written]:
    """Return the newest messages older than a moment, newest first.

    One query, and one more where something waits for review.
    """
    conversation = conversation_of(group)
    if conversation.pk is None:  # nobody has said anything
        return Page([], has_more=False, revision=0)
    kept = page_for_all(conversation, before, limit, as_moderator=reader.is_moderator)
    messages = kept.messages if kept.is_shared else own_messages(conversation, before, limit, reader)
    return Page(messages[:limit], len(messages) > limit, conversation.last_revision)


def page_for_all(
    conversation: Conversation, before: datetime | None, limit: int, *, as_moderator: bool
) -> Kept:
    """Return what all of the moderators, or of the others, read; from what is kept where that still holds."""
    place = place_of(conversation.pk, before, limit, as_moderator=as_moderator)
    kept, revision = place.kept, conversation.last_revision
    if kept is not None and kept.holds(revision):
        return kept
    group = conversation.group_id
    lines = first(kind_of(before), limit + 1, as_moderator=as_moderator, group=group, before=before)
    read = kept_of(lines, revision, is_shared=as_moderator or not any(map(waits, lines)))
    place.kept = read if is_worth_it(lines) else None
    return read


def own_messages(
    conversation: Conversation, before: datetime | None, limit: int, reader: Reader
) -> list[Written]:
    """Return what somebody reads who is no moderator: their own that waits for review, too."""
    asked = {"group": conversation.group_id, "user": reader.user_id, "before": before}
    return list(map(Written, first(f"own {kind_of(before)}", limit + 1, as_moderator=False, **asked)))


def kind_of(before: datetime | None) -> str:
    return "older" if before else "newest"


def kept_of(lines: list[Line], revision: int, *, is_shared: bool) -> Kept:
    lines = lines if is_shared else []
    names = dict(names_on(lines))
    people = {*names, *(pk for line in lines for pk in people_on(line) if pk is not None)}
    return Kept(revision, monotonic() + SECONDS_KEPT, list(map(Written, lines)), is_shared, names, people)


def names_on(lines: list[Line]) -> Iterator[tuple[int, Any]]:
    """Yield whoever stands there by name."""
    for line in lines:
        for written in (line, line.quote):
            if written and written.author:
                yield written.author.pk, written.author


def people_on(line: Line) -> Iterator[int | None]:
    """Yield whoever else could take something of the message along when they go."""
    yield from (line.deleted_by_id, line.moderated_by_id, *(line.mention_ids or ()))
    yield from (user for _, user in line.reaction_rows or ())
    yield from (file.owner_id for file in line.files)


def waits(line: Line) -> bool:
    return line.sight == Message.Sight.AUTHOR


def is_worth_it(lines: list[Line]) -> bool:
    """Tell whether a page may be kept. SQLite gives what was rolled back its numbers again."""
    return connection.vendor == "postgresql" and sum(len(line.text) for line in lines) <= CHARACTERS_KEPT
