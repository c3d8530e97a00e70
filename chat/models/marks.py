"""What people leave on messages: how far they have read, reactions, whom a message names, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from groups.models import Group

if TYPE_CHECKING:
    from typing import Self

    from users.models import User


class ReadCursor(models.Model):
    """How far a person has read a conversation: one row for each of both, never one a message."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="read_cursors", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="read_cursors")
    seq = models.BigIntegerField(default=0, help_text="The place of the last message that was read.")
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "user"], name="one_read_cursor_a_person_and_group")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.group_id} up to {self.seq}"


class Reaction(models.Model):
    """One of a few signs that a person set on a message, each once."""

    class Sign(models.TextChoices):
        THUMBS_UP = "\U0001f44d", "Thumbs up"
        HEART = "\u2764\ufe0f", "Heart"
        LAUGH = "\U0001f602", "Laughing"
        PARTY = "\U0001f389", "Party"
        SURPRISE = "\U0001f62e", "Surprised"
        QUESTION = "\u2753", "Question"

    message = models.ForeignKey("chat.Message", models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reactions")
    sign = models.CharField(max_length=10, choices=Sign)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "user", "sign"], name="reaction_once_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.sign} on {self.message_id}"


class Mention(models.Model):
    """A message names somebody of its group."""

    message = models.ForeignKey("chat.Message", models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions", db_index=False
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "user"], name="mention_once_a_message")
        ]
        indexes: ClassVar = [models.Index(fields=["user", "-message"], name="mention_by_person")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.message_id}"


class ReportQuerySet(models.QuerySet["MessageReport"]):
    """Questions about many reports."""

    def for_moderator(self, user: User) -> Self:
        """What a moderator reads: nobody, admins included, reads who told of themselves, or judges it."""
        return self.exclude(message__author=user)

    def open(self) -> Self:
        return self.filter(resolved_at=None)

    def with_details(self) -> Self:
        return self.select_related("reporter", "message__author", "message__group", "resolved_by")


class MessageReport(models.Model):
    """Somebody told the moderators of a message. Outlives the message's removal, and hides who told."""

    class Category(models.TextChoices):
        BULLYING = "bullying", "Bullying or harassment"
        UNSAFE = "unsafe", "Somebody may be in danger"
        PERSONAL = "personal", "Personal information"
        SPAM = "spam", "Spam"
        OTHER = "other", "Something else"

    message = models.ForeignKey("chat.Message", models.CASCADE, related_name="reports", db_index=False)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="message_reports",
        help_text="Null: a former member.",
    )
    category = models.CharField(max_length=20, choices=Category)
    note = models.TextField(blank=True)
    reported_text = models.TextField(blank=True, help_text="The message as it was when it was reported.")
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True, help_text="Null while it is open.")
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "reporter"], name="one_report_a_person_and_message")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-created_at", "-id"], name="report_open", condition=models.Q(resolved_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"Report {self.pk} of {self.message_id}"
