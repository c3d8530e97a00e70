"""What the platform forgets of whom it told what, and gives out of it to the person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef
from django.utils import timezone

from core.forgetting import Old, delete_some_at_a_time
from core.models import Delivery, MailTrouble, Notice, NotificationChoice, NotificationSettings
from core.periodic import periodic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from users.models import User

KEEP_DAYS: Final = 180


def old_notices() -> QuerySet[Notice]:
    return Notice.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEEP_DAYS))


def old_deliveries() -> QuerySet[Delivery]:
    return Delivery.objects.filter(notice__in=old_notices())


OLD_DELIVERIES: Final = Old("deliveries", old_deliveries, by="created_at")
OLD_NOTICES: Final = Old("notices", old_notices, by="created_at")


@periodic("prune_notices", every=timedelta(hours=24), due=(OLD_DELIVERIES, OLD_NOTICES))
def prune_notices() -> dict[str, int]:
    """Delete notices of more than 180 days ago; first their deliveries, of which each may have thousands."""
    OLD_DELIVERIES.delete()
    told = Exists(Delivery.objects.filter(notice=OuterRef("pk")))
    return {"deleted": delete_some_at_a_time(old_notices().exclude(told))}


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield what the person was told of, how they want to be told, and whether their mailbox took it."""
    told = Delivery.objects.filter(person=user).select_related("notice").order_by("pk")
    shown = set(Delivery.objects.filter(person=user).in_sight().values_list("pk", flat=True))
    yield "notifications", [document_of(delivery, is_shown=delivery.pk in shown) for delivery in told]
    yield "notificationSettings", plain(NotificationSettings.objects.filter(person=user))
    yield "notificationChoices", plain(NotificationChoice.objects.filter(person=user))
    yield "mailTrouble", plain(MailTrouble.objects.filter(person=user))


def document_of(delivery: Delivery, *, is_shown: bool) -> dict[str, Any]:
    """Return a row; not what it says where that has been taken out of the person's sight."""
    return {
        "kind": delivery.notice.kind,
        "about": delivery.notice.data if is_shown or not delivery.in_inbox else None,
        "createdAt": delivery.created_at,
        "readAt": delivery.read_at,
        "mail": delivery.state,
        "sentAt": delivery.sent_at,
    }


def plain(rows: Any) -> list[dict[str, Any]]:
    """Return rows as they stand, without the keys of tables."""
    found = [dict(row) for row in rows.order_by("pk").values()]
    return [{name: row[name] for name in row if name not in {"id", "person_id"}} for row in found]
