"""Reading a conversation: a page backwards in time, or what changed since."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import models
from django.db.models import OuterRef
from django.db.models.functions import Length

from chat.filters import USUAL
from chat.models import Conversation, Message, MessageAttachment
from chat.models.lines import lines_in, read
from core.aggregates import Counted
from core.prepared import Prepared, Slot

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from chat.models.lines import Line
    from chat.models.messages import MessageQuerySet
    from groups.models import Group
    from users.models import User


GROUP: Any = Slot("group", models.CharField())
USER: Any = Slot("user", models.BigIntegerField())
BEFORE: Any = Slot("before", models.DateTimeField())
AFTER: Any = Slot("after", models.BigIntegerField())
FILE: Final = 2_500  # characters that an attachment counts for: a link and two names


class Page(NamedTuple):
    """Messages, whether there are more, and up to which revision the reader knows all after it."""

    messages: list[Line]
    has_more: bool
    revision: int


def page_before(group: Group, user: User, *, as_moderator: bool, before: datetime | None, limit: int) -> Page:
    """Return the newest messages older than a moment, newest first. One query."""
    kind = "older" if before else "newest"
    found = first(kind, limit + 1, as_moderator=as_moderator, group=group.pk, user=user.pk, before=before)
    return Page([read(row) for row in found[:limit]], len(found) > limit, revision_of(group))


def first(kind: str, size: int, *, as_moderator: bool, **values: Any) -> list[Any]:
    """Return so many rows at most; of a page as clients usually want it PostgreSQL keeps the plan."""
    if size == USUAL + 1:
        return prepared(kind, as_moderator=as_moderator, is_usual=True).rows(**values)
    return prepared(kind, as_moderator=as_moderator, is_usual=False).first_rows(size, **values)


@lru_cache
def prepared(kind: str, *, as_moderator: bool, is_usual: bool) -> Prepared:
    def build() -> QuerySet[Message, Any]:
        lines = lines_in(KINDS[kind](as_moderator=as_moderator))
        return lines[: USUAL + 1] if is_usual else lines

    return Prepared(build)


def newest(*, as_moderator: bool) -> MessageQuerySet:
    return Message.objects.filter(group=GROUP).readable(USER, as_moderator=as_moderator).newest_first()


def older(*, as_moderator: bool) -> MessageQuerySet:
    return newest(as_moderator=as_moderator).filter(created_at__lt=BEFORE)


def changed(*, as_moderator: bool) -> MessageQuerySet:
    messages = Message.objects.filter(group=GROUP).ever_readable(USER, as_moderator=as_moderator)
    return messages.changed_after(AFTER)


KINDS: Final = {"newest": newest, "older": older, "changed": changed}


def changes_after(group: Group, user: User, *, as_moderator: bool, after: int, limit: int) -> Page:
    """Return what changed after a revision, oldest change first: each message once, as it is now."""
    # Read before the rows: what is committed later has a higher one.
    revision = revision_of(group)
    after = min(after, revision)
    found = first("changed", limit + 1, as_moderator=as_moderator, group=group.pk, user=user.pk, after=after)
    return page_of(found, revision, after=after, limit=limit)


def all_changes_after(group_id: str, *, after: int, limit: int, characters: int) -> Page:
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


def page_of(found: list[Any], revision: int, *, after: int, limit: int) -> Page:
    messages, has_more = [read(row) for row in found[:limit]], len(found) > limit
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
