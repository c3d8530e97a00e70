"""Telling people of announcements: each once, when it is published, in its own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from announcements.letters import KIND, data_of
from announcements.models import Announcement
from core.models import Delivery, Notice
from core.notifications.notices import fan_out_anew, mail_too, notify

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet


def notice_of(announcement: Announcement) -> QuerySet[Notice]:
    return Notice.objects.filter(kind=KIND, subject=str(announcement.pk))


def columns_of(announcement: Announcement) -> dict[str, Any]:
    """Return what its notice has of an announcement, at every moment: words, for whom, from when, until when.

    By them inboxes show it to whoever may see the announcement (``DeliveryQuerySet.in_sight``).
    """
    return {
        "data": data_of(announcement),
        "audience": announcement.audience,
        "stale_at": announcement.expires_at,
        "shown_from": announcement.publish_at,
        "shown_until": announcement.expires_at,
    }


def tell(announcement: Announcement) -> bool:
    """Tell its audience of an announcement, by mail where that was asked for; False where nothing is due.

    In the caller's transaction, who holds the announcement or has just made it.
    """
    if announcement.told_at is not None or announcement.state != Announcement.State.PUBLISHED:
        return False
    announcement.told_at = timezone.now()
    Announcement.objects.filter(pk=announcement.pk).update(told_at=announcement.told_at)
    if not say(announcement):
        tell_the_rest(announcement)
    return True


def say(announcement: Announcement) -> bool:
    """Write the notice; False where there is one: then nothing happens."""
    return notify(
        KIND,
        subject=str(announcement.pk),
        is_mailed=announcement.mail_requested_at is not None,
        **columns_of(announcement),
    )


def tell_by_mail(announcement: Announcement) -> None:
    """Have mailed what people were told of in their inboxes; anew where that notice is not kept any more."""
    if not mail_too(KIND, subject=str(announcement.pk)):
        say(announcement)


def tell_the_rest(announcement: Announcement) -> None:
    """Tell who has not been told, and mail those to whom nothing has left: it was put off in between.

    Their mail was dropped meanwhile, as not true. Holds the notice, and then those deliveries.
    """
    for notice in notice_of(announcement).select_for_update(no_key=True):
        dropped = Delivery.objects.filter(notice=notice, state=Delivery.State.DROPPED)
        # In the order in which others that write several of them take them.
        held = list(dropped.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        Delivery.objects.filter(pk__in=held).update(state=Delivery.State.NONE, reason="", carried_by=None)
        fan_out_anew(notice, is_mailed=announcement.mail_requested_at is not None)


def follow(announcement: Announcement, changed: Collection[str]) -> None:
    """Let inboxes say what the announcement says now, to whoever may see it now.

    Nobody is told again, or because of a wider audience: only while people are still being told, they are
    those of the new audience. What is put off has its time to come again. Rings nobody: sockets look for
    themselves every few seconds, and see there what comes and goes by the clock as well.
    """
    if announcement.told_at is not None and announcement.state == Announcement.State.SCHEDULED:
        announcement.told_at = None
        Announcement.objects.filter(pk=announcement.pk).update(told_at=None)
    notices = notice_of(announcement)
    notices.update(**columns_of(announcement))
    if "audience" in changed:
        notices.filter(fanned_out_at=None).update(reached=0)


def unsay(announcement: Announcement) -> None:
    """Take the announcement out of all inboxes, and with it the mail that has not left. Holds its notice."""
    for notice in notice_of(announcement).select_for_update():
        notice.delete()


def tell_due() -> int:
    """Tell of all announcements whose time has come, each in a transaction; return of how many."""
    due = Announcement.objects.untold().order_by("pk").values_list("pk", flat=True)
    return sum(tell_if_due(pk) for pk in list(due))


@transaction.atomic
def tell_if_due(pk: int) -> bool:
    held = Announcement.objects.select_for_update(no_key=True).filter(pk=pk).first()
    return held is not None and tell(held)
