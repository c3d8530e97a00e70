"""Sign-in sessions: one row a family of refresh tokens, one row a token."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from core.prepared import this_moment

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self


class SignInSessionQuerySet(models.QuerySet["SignInSession"]):
    """Questions about many sessions."""

    def live(self) -> Self:
        """Neither ended nor run out."""
        return self.filter(revoked_at=None, expires_at__gt=this_moment())

    def revoke_all(self) -> int:
        """End those that have not ended yet; returns how many."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())


class SignInSession(models.Model):
    """One sign-in on one device. Ends by logout, by suspension, by reuse of an old token, or by time."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    device = models.CharField(
        max_length=100, blank=True, help_text="Browser and system, as they say of themselves."
    )
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(
        default=timezone.now, help_text="Written when the session is refreshed."
    )
    expires_at = models.DateTimeField(help_text="When the newest refresh token runs out.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SignInSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-last_seen_at", "-id"], name="session_by_user"),
            models.Index(fields=["expires_at"], name="session_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"Session {self.pk} of {self.user_id}"


class RefreshToken(models.Model):
    """One refresh token of a session: the id in its ``jti`` claim, and which token follows it."""

    jti = models.UUIDField(primary_key=True, default=uuid.uuid4)
    session = models.ForeignKey(SignInSession, models.CASCADE, related_name="tokens")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True, help_text="Null while it is the newest of its session.")
    successor = models.OneToOneField("self", models.SET_NULL, null=True, related_name="predecessor")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(rotated_at=None), name="one_newest_token_per_session"
            )
        ]

    def __str__(self) -> str:
        return str(self.jti)

    def in_grace(self, now: datetime) -> bool:
        """Tell whether an already used token still answers with its successor."""
        if self.rotated_at is None:
            return False
        return (now - self.rotated_at).total_seconds() <= settings.REFRESH_GRACE_SECONDS
