"""What the platform's own tables hold of a person, given out to that person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.models import AuditEvent, Upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield the person's uploads, and what they have done as far as it was written down."""
    uploads = Upload.objects.filter(owner=user).order_by("pk")
    yield (
        "uploads",
        [
            {
                "id": row.pk,
                "filename": row.filename,
                "sizeBytes": row.size,
                "mimeType": row.mime_type,
                "state": row.state,
                "createdAt": row.created_at,
            }
            for row in uploads
        ],
    )
    acts = AuditEvent.objects.filter(actor_id=user.pk).order_by("at", "pk")
    yield "activity", [{"at": at, "action": action} for at, action in acts.values_list("at", "action")]
