"""What sign-in holds of a person, given out to that person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authentication.models import SignInSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield where and when the person signed in: every session that is still kept, ended ones too."""
    rows = SignInSession.objects.filter(user=user).order_by("created_at", "pk")
    yield (
        "sessions",
        [
            {
                "device": row.device,
                "createdAt": row.created_at,
                "lastSeenAt": row.last_seen_at,
                "expiresAt": row.expires_at,
                "endedAt": row.revoked_at,
            }
            for row in rows
        ],
    )
