"""Reading a conversation: its messages backwards in time, or what changed since."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from django.db import models
from django.db.models import OuterRef
from django.db.models.functions import Length

from chat.filters import USUAL
from chat.models import Conversation, Message, MessageAttachment
from chat.models.lines import lines_in, read
from chat.texts import told
from core.aggregates import Counted
from core.prepared import Prepared, Slot

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from chat.access import Reader
    from chat.models.lines import Line
    from chat.models.messages import MessageQuerySet
    from chat.rendering import Document
    from core.uploads.links import Links
    from groups.models import Group


Item = TypeVar("Item")
GROUP: Any = Slot("group", models.CharField())
USER: Any = Slot("user", models.BigIntegerField())
BEFORE: Any = Slot("before", models.DateTimeField())
AFTER: Any = Slot("after", models.BigIntegerField())
FILE: Final = 2_500  # characters that an attachment counts for: a link and two names


class Page(NamedTuple, Generic[Item]):
    """Messages, whether there are more, and up to which revision the reader knows all after it."""

    messages: list[Item]
    has_more: bool
    revision: int


def first(kind: str, size: int, *, as_moderator: bool, **values: Any) -> list[Line]:
    """Return so many messages at most; of a page as clients usually want it PostgreSQL keeps the plan."""
    if size == USUAL + 1:
        rows = prepared(kind, as_moderator=as_moderator, is_usual=True).rows(**values)
    else:
        rows = prepared(kind, as_moderator=as_moderator, is_usual=False).first_rows(size, **values)
    return list(map(read, rows))


@lru_cache
def prepared(kind: str, *, as_moderator: bool, is_usual: bool) -> Prepared:
    def build() -> QuerySet[Message, Any]:
        lines = lines_in(KINDS[kind](as_moderator=as_moderator))
        return lines[: USUAL + 1] if is_usual else lines

    return Prepared(build)


def newest(*, as_moderator: bool) -> MessageQuerySet:
    messages = Message.objects.filter(group=GROUP).newest_first()
    return messages if as_moderator else messages.in_sight_of_some()


def older(*, as_moderator: bool) -> MessageQuerySet:
    return newest(as_moderator=as_moderator).filter(created_at__lt=BEFORE)


def own_newest(*, as_moderator: bool) -> MessageQuerySet:
    return Message.objects.filter(group=GROUP).readable(USER, as_moderator=as_moderator).newest_first()


def own_older(*, as_moderator: bool) -> MessageQuerySet:
    return own_newest(as_moderator=as_moderator).filter(created_at__lt=BEFORE)


def changed(*, as_moderator: bool) -> MessageQuerySet:
    messages = Message.objects.filter(group=GROUP).ever_readable(USER, as_moderator=as_moderator)
    return messages.changed_after(AFTER)


# What one reader sees, and what is in sight of some, which is the same where nothing waits for review.
KINDS: Final = {
    "newest": newest,
    "older": older,
    "own newest": own_newest,
    "own older": own_older,
    "changed": changed,
}


def changes_after(group: Group, reader: Reader, links: Links, *, after: int, limit: int) -> Page[Document]:
    """Return what changed after a revision, oldest change first: each message once, as it is read now."""
    # Read before the rows: what is committed later has a higher one.
    revision = revision_of(group)
    after, as_moderator = min(after, revision), reader.is_moderator
    asked = {"group": group.pk, "user": reader.user_id, "after": after}
    found = first("changed", limit + 1, as_moderator=as_moderator, **asked)
    lines, has_more, revision = page_of(found, revision, after=after, limit=limit)
    return Page([told(line, reader, links) for line in lines], has_more, revision)


def all_changes_after(group_id: str, *, after: int, limit: int, characters: int) -> Page[Line]:
    """Return the same for no reader in particular: whoever shows it, renders it for theirs.

    No more than so many characters at once, where that is a message or more.
    """
    conversation = Conversation.objects.filter(group=group_id).first()
    revision = conversation.last_revision if conversation else 0
    rows = Message.objects.filter(group=group_id).changed_after(after)
    limit = how_many_fit(rows[:limit], characters)
    found = first("changed", limit + 1, as_moderator=True, group=group_id, after=after)
    return page_of(found, revision, after=after, limit=limit)


def how_many_fit(rows: MessageQuerySet, characters: int) -> int:
    """Return how many of the rows, one at least, have no more characters together. Reads no text."""
    files = Counted(MessageAttachment.objects.filter(message=OuterRef("pk")).order_by().values("pk"))
    weights = rows.annotate(weight=Length("text") + FILE * files).values_list("weight", flat=True)
    fit = sum(total <= characters for total in accumulate(weights))
    return max(1, int(fit))


def page_of(found: list[Line], revision: int, *, after: int, limit: int) -> Page[Line]:
    messages, has_more = found[:limit], len(found) > limit
    last = messages[-1].revision if messages else after
    return Page(messages, has_more, last if has_more else max(last, revision))


def revision_of(group: Group) -> int:
    """Return which revision the conversation had when the group was read."""
    return conversation_of(group).last_revision


def last_seq_of(group: Group) -> int:
    """Return the place of the last message there was when the group was read."""
    return conversation_of(group).last_seq


def conversation_of(group: Group) -> Conversation:
    try:
        return group.conversation
    except Conversation.DoesNotExist:
        return Conversation(group=group)
