"""A group's conversation: the counters of its messages."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from core.prepared import Slot
from core.prepared_writes import PreparedUpdate
from groups.models import Group

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from chat.models.messages import Message


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Getting hold of a conversation."""

    def hold(self, group_id: str) -> Conversation:
        """Return a group's conversation, made where there was none, its row locked until the commit."""
        conversation, _ = self.select_for_update().get_or_create(group_id=group_id)
        return conversation

    def step(self, group_id: str) -> Conversation | None:
        """Move a group's counters on by a new message, and return them, their row locked until the commit.

        None where there are none yet.
        """
        found: Conversation | None = STEP.object(group=group_id, now=timezone.now())
        return found


class Conversation(models.Model):
    """The counters of a group's messages. Whoever changes a message holds this row."""

    GAP: ClassVar = timedelta(milliseconds=1)

    group = models.OneToOneField(Group, models.CASCADE, related_name="conversation")
    last_seq = models.BigIntegerField(default=0)
    last_revision = models.BigIntegerField(default=0)
    last_created_at = models.DateTimeField(null=True, help_text="Null before the first message.")

    objects = ConversationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Conversation of {self.group_id}"

    def admit(self, message: Message) -> None:
        """Give a new message its numbers and, unless it has one, its moment. The row must be held.

        Moments lie at least a millisecond apart, the grain of the clients' clock: paging by
        them skips nothing, sorting by them turns nothing round.
        """
        self.last_seq += 1
        message.seq = self.last_seq
        self.register_change(message)
        message.posted_revision = message.revision
        if message.created_at is None:
            message.created_at = self.next_moment()
        self.last_created_at = max(message.created_at, self.last_created_at or message.created_at)

    def seat(self, message: Message) -> None:
        """Give a new message the place to which ``step`` came."""
        moment: Any = self.last_created_at
        message.seq, message.created_at = self.last_seq, moment
        message.revision = message.posted_revision = self.last_revision
        message.was_shown = message.sight == message.Sight.ALL

    def register_change(self, message: Message) -> None:
        """Give a message, as it now is, the next revision. The row must be held, and saved after."""
        self.last_revision += 1
        message.revision = self.last_revision
        message.was_shown = message.was_shown or message.sight == message.Sight.ALL

    def save_change(self, message: Message) -> None:
        """Save a message that was changed, with the next revision. The row must be held."""
        self.register_change(message)
        # Not the author: whoever is being erased at this moment must not be written back.
        message.save(update_fields=message.CHANGING)
        self.save()

    def next_moment(self) -> datetime:
        now = timezone.now()
        return max(now, self.last_created_at + self.GAP) if self.last_created_at else now


def stepping() -> tuple[ConversationQuerySet, dict[str, Any]]:
    now = Slot("now", models.DateTimeField())
    next_moment = Greatest(now, Coalesce(F("last_created_at") + Conversation.GAP, now))
    moved = {name: F(name) + 1 for name in ("last_seq", "last_revision")}
    rows = Conversation.objects.filter(group=Slot("group", models.CharField()))
    return rows, {**moved, "last_created_at": next_moment}


STEP: Final = PreparedUpdate(stepping)


def number(messages: Iterable[Message]) -> None:
    """Give new messages their places, in the order given. In a transaction: holds their conversations.

    Always in the order of the groups, so that two callers never wait for each other.
    """
    by_group = attrgetter("group_id")
    for group_id, posted in groupby(sorted(messages, key=by_group), by_group):
        conversation = Conversation.objects.hold(group_id)
        for message in posted:
            conversation.admit(message)
        conversation.save()
