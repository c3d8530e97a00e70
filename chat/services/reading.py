"""How far people have read: one cursor for each person and conversation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from chat.access import access_conversation
from chat.models import Conversation, Message, ReadCursor
from chat.models.lines import EXCERPT
from chat.realtime import publish_reading
from chat.rendering import author_of, moment
from chat.services.history import last_seq_of
from core.aggregates import Counted
from users.services.holding import acting

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

    from core.registry import ConversationRow
    from groups.models import Group
    from users.models import User

UNREAD: Final = 100  # shown as "99+"
LOOKED_AT: Final = 1_000


@transaction.atomic
def mark_read(group_id: str, *, by: User, seq: int | None) -> ReadCursor:
    """Move a person's cursor on to a place in the conversation; None: to its end. It never goes back.

    Raises Outside (403), Missing (404), and what ``acting`` raises. Holds the person and the cursor; the
    group's sockets hear of it, where the person is one of ``seen_by``.
    """
    by = acting(by)
    group = access_conversation(by, group_id)
    last = last_seq_of(group)
    cursor, _ = ReadCursor.objects.select_for_update().get_or_create(group=group, user=by)
    reached = last if seq is None else min(seq, last)
    if reached > cursor.seq:
        cursor.seq, cursor.read_at = reached, timezone.now()
        cursor.save()
        # That an admin or a supervisor looks in is not told: they are not among the readers.
        if seen_by(group).filter(user=by).exists():
            transaction.on_commit(partial(publish_reading, cursor, group=group))
    return cursor


def seen_by(group: Group) -> QuerySet[ReadCursor]:
    """Return how far each person of a group has read: those who are in it now."""
    present = group.members.order_by().values("user_id")
    readers = ReadCursor.objects.filter(group=group).select_related("user")
    return (readers.filter(user__in=present) | readers.filter(user=group.mentor_id)).order_by("user_id")


def rows_for(user: User, group_ids: Collection[str], /) -> dict[str, ConversationRow]:
    """Return what a person's list of groups shows of each conversation. Two queries."""
    news = unread(user, group_ids)
    return {
        pk: {"unread": news.get(pk, 0), "last_message": excerpt(message)}
        for pk, message in newest(group_ids).items()
    }


def unread(user: User, group_ids: Collection[str]) -> dict[str, int]:
    """Count, for each group, what others said since: at most UNREAD, among the last LOOKED_AT messages."""
    conversations = Conversation.objects.filter(group__in=group_ids)
    counted = with_unread(conversations, reader=user, group="group", last_seq="last_seq")
    return dict(counted.values_list("group", "unread"))


def with_unread(
    rows: QuerySet[Any], *, reader: Any, group: str, last_seq: str, before: datetime | None = None
) -> QuerySet[Any]:
    """Annotate rows, of which each has a group and a reader, with ``unread``, as ``unread`` counts it.

    ``reader`` is a person, or whose column in the rows; ``before`` leaves out what was said since.
    """
    cursors = ReadCursor.objects.filter(user=reader, group=OuterRef(group)).values("seq")
    news = Message.objects.filter(Message.IN_SIGHT, group=OuterRef(group), seq__gt=OuterRef("read_up_to"))
    if before is not None:
        news = news.filter(created_at__lt=before)
    others = news.exclude(author=reader).order_by("-seq").values("pk")[:UNREAD]
    read_up_to = Greatest(Coalesce(Subquery(cursors), 0), Coalesce(F(last_seq), 0) - LOOKED_AT)
    counted: QuerySet[Any] = rows.annotate(read_up_to=read_up_to).annotate(unread=Counted(others))
    return counted


def newest(group_ids: Collection[str]) -> dict[str, Message]:
    """Return the newest message in sight of each group."""
    in_sight = Message.objects.filter(Message.IN_SIGHT, group=OuterRef("group")).newest_first()
    last = Conversation.objects.filter(group__in=group_ids).values(newest=Subquery(in_sight.values("pk")[:1]))
    messages = Message.objects.filter(pk__in=last).order_by().select_related("author")
    return {message.group_id: message for message in messages}


def excerpt(message: Message) -> dict[str, Any]:
    return {
        "id": message.pk,
        "author": author_of(message),
        "text": message.text[:EXCERPT],
        "timestamp": moment(message.created_at),
    }
