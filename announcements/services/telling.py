"""Telling people of announcements: each once, when it is published, in its own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from announcements.letters import KIND, data_of
from announcements.models import Announcement
from core.models import Delivery, Notice
from core.notifications.notices import mail_too, notify

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet


def notice_of(announcement: Announcement) -> QuerySet[Notice]:
    return Notice.objects.filter(kind=KIND, subject=str(announcement.pk))


def tell(announcement: Announcement) -> bool:
    """Tell its audience of an announcement, by mail where that was asked for; False where nothing is due.

    In the caller's transaction, who holds the announcement or has just made it.
    """
    if announcement.told_at is not None or announcement.state != Announcement.State.PUBLISHED:
        return False
    announcement.told_at = timezone.now()
    Announcement.objects.filter(pk=announcement.pk).update(told_at=announcement.told_at)
    if not say(announcement) and announcement.mail_requested_at is not None:
        mail_the_rest(announcement)
    return True


def say(announcement: Announcement) -> bool:
    """Write the notice; False where there is one: then nothing happens."""
    return notify(
        KIND,
        subject=str(announcement.pk),
        data=data_of(announcement),
        audience=announcement.audience,
        is_mailed=announcement.mail_requested_at is not None,
        stale_at=announcement.expires_at,
    )


def tell_by_mail(announcement: Announcement) -> None:
    """Have mailed what people were told of in their inboxes; anew where that notice is not kept any more."""
    if not mail_too(KIND, subject=str(announcement.pk)):
        say(announcement)


def mail_the_rest(announcement: Announcement) -> None:
    """Mail those to whom nothing has left: it was put off meanwhile, and so their mail was dropped."""
    notices = notice_of(announcement)
    notices.update(is_mailed=False)  # first: whoever fans out holds the notice before its deliveries
    dropped = Delivery.objects.filter(notice__in=notices, state=Delivery.State.DROPPED)
    dropped.update(state=Delivery.State.NONE, reason="")
    mail_too(KIND, subject=str(announcement.pk))


def follow(announcement: Announcement, changed: Collection[str]) -> None:
    """Let inboxes say what the announcement says now. Nobody is told again, or because of a wider audience.

    Only while people are still being told, they are those of the new audience. What is put off has its time
    to come again.
    """
    if announcement.told_at is not None and announcement.state == Announcement.State.SCHEDULED:
        announcement.told_at = None
        Announcement.objects.filter(pk=announcement.pk).update(told_at=None)
    notices = notice_of(announcement)
    notices.update(
        data=data_of(announcement), audience=announcement.audience, stale_at=announcement.expires_at
    )
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
