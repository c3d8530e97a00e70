"""What a person has asked to be given of themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils import timezone

from users.models.people import User

if TYPE_CHECKING:
    from datetime import datetime


class DataArchive(models.Model):
    """A ZIP of everything that we hold of a person, made for them and deleted a day later."""

    class State(models.TextChoices):
        BUILDING = "building", "Being built"
        READY = "ready", "Ready"

    KEEP: ClassVar = timedelta(hours=24)

    user = models.OneToOneField(User, models.CASCADE, related_name="archive")
    state = models.CharField(max_length=20, choices=State, default=State.BUILDING)
    requested_at = models.DateTimeField(default=timezone.now)
    key = models.CharField(max_length=255, blank=True, help_text="Name in the storage, once it is ready.")
    size = models.BigIntegerField(default=0, help_text="Bytes.")

    class Meta:
        db_table = "data_archives"
        indexes: ClassVar = [models.Index(fields=["requested_at"], name="archive_by_age")]

    def __str__(self) -> str:
        return f"Archive of {self.user_id}"

    @property
    def expires_at(self) -> datetime:
        return self.requested_at + self.KEEP
