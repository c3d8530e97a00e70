"""What announcements hold of a person: their marks, which go with the account, and their name below some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from announcements.models import PROGRAMME, Acknowledgement, Announcement

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


def take_signature_off(user: User, /) -> None:
    """Sign with the programme's name what bears that of a person who is erased. Holds the announcements."""
    signed = Announcement.objects.filter(author__in={user.name, user.email}).order_by("pk")
    held = list(signed.select_for_update(no_key=True).values_list("pk", flat=True))
    Announcement.objects.filter(pk__in=held).update(author=PROGRAMME)
