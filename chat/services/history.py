"""Reading a conversation: a page backwards in time, or what changed since."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import OuterRef
from django.db.models.functions import Length

from chat.models import Conversation, Message, MessageAttachment
from core.aggregates import Counted

if TYPE_CHECKING:
    from datetime import datetime

    from chat.models.messages import MessageQuerySet
    from groups.models import Group
    from users.models import User


FILE: Final = 2_500  # characters that an attachment counts for: a link and two names


class Page(NamedTuple):
    """Messages, whether there are more, and up to which revision the reader knows all after it."""

    messages: list[Message]
    has_more: bool
    revision: int


def page_before(group: Group, user: User, *, as_moderator: bool, before: datetime | None, limit: int) -> Page:
    """Return the newest messages older than a moment, newest first. Two queries."""
    rows = Message.objects.filter(group=group).readable(user, as_moderator=as_moderator)
    if before:
        rows = rows.filter(created_at__lt=before)
    found = list(rows.with_details().newest_first()[: limit + 1])
    return Page(found[:limit], len(found) > limit, revision_of(group))


def changes_after(group: Group, user: User, *, as_moderator: bool, after: int, limit: int) -> Page:
    """Return what changed after a revision, oldest change first: each message once, as it is now."""
    # Read before the rows: what is committed later has a higher one.
    revision = revision_of(group)
    after = min(after, revision)
    rows = Message.objects.filter(group=group).ever_readable(user, as_moderator=as_moderator)
    return page_of(rows, revision, after=after, limit=limit)


def all_changes_after(group_id: str, *, after: int, limit: int, characters: int) -> Page:
    """Return the same for no reader in particular: whoever shows it, renders it for theirs.

    No more than so many characters at once, where that is a message or more.
    """
    conversation = Conversation.objects.filter(group=group_id).first()
    revision = conversation.last_revision if conversation else 0
    rows = Message.objects.filter(group=group_id)
    limit = how_many_fit(rows.changed_after(after)[:limit], characters)
    return page_of(rows, revision, after=after, limit=limit)


def how_many_fit(rows: MessageQuerySet, characters: int) -> int:
    """Return how many of the rows, one at least, have no more characters together. Reads no text."""
    files = Counted(MessageAttachment.objects.filter(message=OuterRef("pk")).order_by().values("pk"))
    weights = rows.annotate(weight=Length("text") + FILE * files).values_list("weight", flat=True)
    fit = sum(total <= characters for total in accumulate(weights))
    return max(1, int(fit))


def page_of(rows: MessageQuerySet, revision: int, *, after: int, limit: int) -> Page:
    found = list(rows.changed_after(after).with_details()[: limit + 1])
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
