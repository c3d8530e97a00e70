"""A person's own calendar feed: who holds its address may read it."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac


def new_nonce() -> str:
    return secrets.token_hex(32)


def digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


class CalendarFeed(models.Model):
    """The feed that a person has set up. There is one at most; a new one replaces it.

    The token in its address is worked out of ``nonce`` and SECRET_KEY, and is looked up by its digest:
    whoever reads the table alone learns no address. Once the key has left SECRET_KEY_FALLBACKS the
    address works on, and cannot be shown any more.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    nonce = models.CharField(max_length=64, default=new_nonce, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"calendar feed of {self.user_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.digest:
            self.digest = digest_of(self.token_by(settings.SECRET_KEY))
        super().save(*args, **kwargs)

    @property
    def token(self) -> str | None:
        """Return the token in the address; None where its key is known no more."""
        tokens = (self.token_by(key) for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
        return next((token for token in tokens if digest_of(token) == self.digest), None)

    def token_by(self, key: str) -> str:
        return salted_hmac("events.calendar", self.nonce, secret=key, algorithm="sha256").hexdigest()
