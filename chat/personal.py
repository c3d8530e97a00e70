"""What the conversations hold of a person: given out to that person, and freed of them at erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from chat.models import Message, MessageAttachment, MessageReport, TextOpening
from core.uploads.erasure import rename_telling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.models import Manager, QuerySet

    from users.models import User


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield what the person wrote, oldest first, and what they left on messages, or others by naming them.

    Removed messages too, for they are still kept. What others reported of the person is not theirs.
    """
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
    yield "reading", rows_of(user.read_cursors, groupId="group_id", seq="seq", readAt="read_at")
    yield "reactions", rows_of(user.reactions, messageId="message_id", sign="sign", createdAt="created_at")
    yield "mentions", rows_of(user.mentions, messageId="message_id")
    reported = {"id": "pk", "messageId": "message_id", "category": "category", "note": "note"}
    yield "messageReports", rows_of(user.message_reports, **reported, createdAt="created_at")
    opened = {"id": "pk", "messageId": "message_id", "groupId": "group_id", "reason": "reason"}
    openings = TextOpening.objects.filter(actor_id=user.pk)
    yield "openedMessages", rows_of(openings, **opened, openedAt="opened_at")


def rows_of(marks: Manager[Any] | QuerySet[Any], **columns: str) -> list[dict[str, Any]]:
    """Return rows in the order in which they were made, each with those columns under those names."""
    rows = marks.order_by("pk").values_list(*columns.values())
    return [dict(zip(columns, row, strict=True)) for row in rows]


def needed_uploads(ids: Collection[int], /) -> set[int]:
    """Return those of the uploads that hang on a message, also a removed one: moderators still read it."""
    attached = MessageAttachment.objects.filter(upload_id__in=ids)
    return set(attached.values_list("upload_id", flat=True))


def hold_messages(user: User, /) -> None:
    """Lock every message that the erasure changes, in the order in which all do who change messages."""
    theirs = Q(author=user) | Q(deleted_by=user) | Q(moderated_by=user)
    rows = Message.objects.filter(theirs).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def erase_names(user: User, /) -> None:
    """Rename the attachments that would say whose they were: of the person's messages, and of their uploads.

    Reasons for which admins opened messages go with them.

    The messages stay with their text; that they have no author any more is the foreign key's work.
    """
    for attachments in (
        MessageAttachment.objects.filter(message__author=user),
        MessageAttachment.objects.filter(upload__owner=user).exclude(message__author=user),
    ):
        rename_telling(attachments, user)
    erase_reasons(user)


def erase_reasons(user: User) -> None:
    """Empty the reasons that the person gave for opening messages, or that may speak of them.

    Those are given for messages that they wrote, reported or are named in. That a message was opened stays.
    """
    theirs = Message.objects.filter(author=user).values("pk")
    told = MessageReport.objects.filter(reporter=user).values("message_id")
    named = user.mentions.values("message_id")
    of_them = Q(message_id__in=theirs) | Q(message_id__in=told) | Q(message_id__in=named)
    TextOpening.objects.filter(Q(actor_id=user.pk) | of_them).exclude(reason="").update(reason="")
