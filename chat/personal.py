"""What the conversations hold of a person: given out to that person, and freed of them at erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat.models import Message, MessageAttachment
from core.uploads.erasure import rename_telling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield what the person wrote, oldest first; removed messages too, for they are still kept."""
    rows = Message.objects.filter(author=user).prefetch_related("attachments").order_by("created_at", "pk")
    yield (
        "messages",
        [
            {
                "id": row.pk,
                "groupId": row.group_id,
                "createdAt": row.created_at,
                "text": row.text,
                "attachments": [attachment.filename for attachment in row.attachments.all()],
                "removed": row.is_deleted,
            }
            for row in rows
        ],
    )


def needed_uploads(ids: Collection[int], /) -> set[int]:
    """Return those of the uploads that hang on a message, also a removed one: moderators still read it."""
    attached = MessageAttachment.objects.filter(upload_id__in=ids)
    return set(attached.values_list("upload_id", flat=True))


def erase_names(user: User, /) -> None:
    """Rename the attachments that would say whose they were: of the person's messages, and of their uploads.

    The messages stay with their text; that they have no author any more is the foreign key's work.
    """
    for attachments in (
        MessageAttachment.objects.filter(message__author=user),
        MessageAttachment.objects.filter(upload__owner=user).exclude(message__author=user),
    ):
        rename_telling(attachments, user)
