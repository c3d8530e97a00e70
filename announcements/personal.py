"""What announcements hold of a person: their marks, which go with the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from announcements.models import Acknowledgement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield which announcements the person has acknowledged."""
    rows = Acknowledgement.objects.filter(user=user).select_related("announcement")
    yield (
        "acknowledgements",
        [
            {
                "announcementId": row.announcement_id,
                "title": row.announcement.title,
                "acknowledgedAt": row.acknowledged_at,
            }
            for row in rows
        ],
    )
