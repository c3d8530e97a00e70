"""Why somebody opened what was said, at the admin site."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class TextOpening(models.Model):
    """Who opened a message's text, and the reason that they gave. The audit log has the same without it.

    Plain ids: the row outlives the message, and erasing a person needs nothing but an empty reason.
    """

    MIN_REASON: ClassVar = 10
    MAX_REASON: ClassVar = 500

    actor_id = models.BigIntegerField(help_text="Who opened it.")
    message_id = models.BigIntegerField()
    group_id = models.CharField(max_length=50)
    reason = models.CharField(
        max_length=MAX_REASON, blank=True, help_text="Blank: freed of a person who was erased since."
    )
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-opened_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-opened_at", "-id"], name="text_opening_newest_first"),
            models.Index(fields=["message_id"], name="text_opening_by_message"),
            models.Index(fields=["actor_id"], name="text_opening_by_actor"),
        ]

    def __str__(self) -> str:
        return f"Opening {self.pk} of message {self.message_id}"
