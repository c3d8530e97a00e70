"""Messages, and the files that hang on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models, transaction
from django.db.models import F, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Contains

from chat.models.conversation import Conversation, number
from chat.models.marks import Mention, Reaction
from core.models import Upload
from core.nested import Tuple, listed
from core.prepared_writes import PreparedInsert
from groups.models import Group

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from users.models import User


class MessageQuerySet(models.QuerySet["Message"]):
    """Questions about many messages, and writing many."""

    def with_details(self) -> Self:
        """Everything that a message's document shows, in two queries however many rows."""
        rows = self.select_related("author", "reply_to__author").prefetch_related("attachments")
        return rows.with_marks()

    def with_marks(self) -> Self:
        """Who reacted to each message, and whom it names: lists, null where there is nobody."""
        reactions = Reaction.objects.filter(message=models.OuterRef("pk"))
        mentions = Mention.objects.filter(message=models.OuterRef("pk"))
        return self.annotate(
            reaction_rows=listed(reactions, "message", Tuple("sign", "user_id")),
            mention_ids=listed(mentions, "message", F("user_id")),
        )

    def readable(self, user: User, *, as_moderator: bool) -> Self:
        """Moderators read every row; others what is in sight, and their own that waits for review (D4)."""
        if as_moderator:
            return self
        waiting = models.Q(is_deleted=False, moderation_status=Message.Moderation.PENDING, author=user)
        return self.filter(Message.IN_SIGHT | waiting)

    def in_sight_of_some(self) -> Self:
        """What stands in the conversation for its author at least, and not for moderators alone."""
        return self.filter(is_deleted=False).exclude(moderation_status=Message.Moderation.REJECTED)

    def ever_readable(self, user: User, *, as_moderator: bool) -> Self:
        """What a person may have on their screen: what was in sight once, and their own (D25)."""
        return self if as_moderator else self.filter(models.Q(was_shown=True) | models.Q(author=user))

    def in_sight_for(self, user: User) -> Self:
        """What a person finds, over all the groups that they see: what is in sight of everybody there."""
        return self.filter(Message.IN_SIGHT, group__in=Group.objects.visible_to(user))

    def matching(self, text: str) -> Self:
        """Messages in whose text the words occur as they stand, whatever their case.

        A trigram index answers this (migration 0004), as long as the expression is the index's own.
        """
        return self.alias(lowered=Lower("text")).filter(Contains(F("lowered"), Lower(Value(text))))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def changed_after(self, revision: int) -> Self:
        """Whatever changed since, oldest change first; each message once."""
        return self.filter(revision__gt=revision).order_by("revision")

    @transaction.atomic(savepoint=False)
    def bulk_create(self, objs: Iterable[Message], *args: Any, **kwargs: Any) -> list[Message]:
        messages = list(objs)
        number(messages)
        return super().bulk_create(messages, *args, **kwargs)


class Message(models.Model):
    """One post in a group's conversation. Removing it hides it: the row stays.

    Whoever inserts it, ``seq``, ``revision`` and the conversation are filled on save.
    Pages go by ``created_at`` and ``id``; ``seq`` and ``revision`` serve the feed.
    """

    class Moderation(models.TextChoices):
        APPROVED = "approved", "Approved"
        PENDING = "pending", "Pending review"
        REJECTED = "rejected", "Rejected"

    CHANGING: ClassVar = (
        *("text", "edited_at", "is_deleted", "deleted_at", "deleted_by", "moderation_status"),
        *("moderation_note", "moderated_at", "moderated_by", "revision", "was_shown"),
    )
    QUOTES: ClassVar = 100  # whatever changes a message changes what quotes it

    class Sight(models.TextChoices):
        """For whom a message stands in the conversation; for moderators all do."""

        ALL = "all"
        AUTHOR = "author"
        MODERATORS = "moderators"

    # Set by ``with_marks``; null where there is none.
    reaction_rows: list[list[Any]] | None  # pairs of a sign and whose
    mention_ids: list[int] | None

    IN_SIGHT: ClassVar = models.Q(is_deleted=False, moderation_status=Moderation.APPROVED)

    group = models.ForeignKey(Group, models.CASCADE, related_name="messages", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        help_text="Null: a former member.",
    )
    seq = models.BigIntegerField(editable=False, help_text="Its place in the conversation, for good.")
    revision = models.BigIntegerField(editable=False, help_text="The number of its last change.")
    posted_revision = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The revision with which it was posted."
    )
    was_shown = models.BooleanField(
        default=False, db_default=True, editable=False, help_text="Was in sight of all, at one time."
    )
    text = models.TextField(blank=True)
    client_id = models.CharField(
        max_length=64, blank=True, help_text="The client's own name for it: makes a retry harmless."
    )
    reply_to = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="replies",
        help_text="The message that it quotes.",
    )
    client_digest = models.CharField(
        max_length=64, blank=True, db_default="", editable=False, help_text="Of what came with that name."
    )
    created_at = models.DateTimeField(blank=True, help_text="When left out: now, after the one before it.")
    edited_at = models.DateTimeField(null=True, blank=True)
    is_deleted = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    moderation_status = models.CharField(max_length=20, choices=Moderation, default=Moderation.APPROVED)
    moderation_note = models.TextField(blank=True)
    moderated_at = models.DateTimeField(null=True, blank=True)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "seq"], name="message_seq_once_per_group"),
            models.UniqueConstraint(fields=["group", "revision"], name="message_revision_once_per_group"),
            models.UniqueConstraint(
                fields=["group", "author", "client_id"],
                condition=~models.Q(client_id=""),
                name="message_client_id_once_per_author",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["group", "-created_at", "-id"], name="message_timeline"),
            # Without an order: a page of a group must never go by it.
            BrinIndex(fields=["created_at"], name="message_by_moment"),
        ]

    def __str__(self) -> str:
        return f"Message {self.seq} in {self.group_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            super().save(*args, **kwargs)
            return
        with transaction.atomic(savepoint=False):
            number([self])
            super().save(*args, **kwargs)

    def keep_attachments(self, rows: list[MessageAttachment]) -> None:
        """Take the rows that were just stored for what ``attachments`` holds: nobody asks the database."""
        self._prefetched_objects_cache = {"attachments": rows}

    @property
    def sight(self) -> Sight:
        return sight_of(self.moderation_status, is_deleted=self.is_deleted)

    def save_at(self, conversation: Conversation) -> None:
        """Insert where a conversation has just made a step."""
        conversation.seat(self)
        INSERT.insert(self)


INSERT: Final = PreparedInsert(Message)


def sight_of(moderation_status: str, *, is_deleted: bool) -> Message.Sight:
    """The same rule as ``IN_SIGHT`` and ``readable``, on one row."""
    if is_deleted or moderation_status == Message.Moderation.REJECTED:
        return Message.Sight.MODERATORS
    return Message.Sight.AUTHOR if moderation_status == Message.Moderation.PENDING else Message.Sight.ALL


class MessageAttachment(models.Model):
    """A file that came with a message."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    upload = models.ForeignKey(
        Upload,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="attachments",
        help_text="Null: not a file of ours.",
    )
    file_url = models.CharField(max_length=2048, help_text="Our upload's key, or a link to elsewhere.")
    filename = models.CharField(max_length=255)
    file_size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    mime_type = models.CharField(max_length=255, default="application/octet-stream")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Attachment {self.pk}"
