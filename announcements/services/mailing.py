"""Announcements by mail: asked for once by an admin, who may try it out before."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from announcements.letters import TEST_KIND
from announcements.models import Announcement
from announcements.services.holding import held_announcement
from announcements.services.telling import tell, tell_by_mail
from core import audit
from core.notifications.notices import notify
from core.refusals import Refused
from users.services.holding import acting

if TYPE_CHECKING:
    from users.models import User


class AlreadyMailed(Refused):
    """Its mail has been asked for before (409)."""

    status = 409
    code = "already_mailed"
    sentence = "This announcement is being mailed, or has been."


class Over(Refused):
    """Nobody sees it any more, so nobody is mailed of it (400)."""

    code = "announcement_expired"
    sentence = "This announcement has expired: it cannot be mailed."


@transaction.atomic
def ask_for_mail(announcement: Announcement, *, by: User) -> None:
    """Have an announcement mailed to its audience: now, or when it is published.

    Raises AlreadyMailed (409), Over (400), Missing (404) and what ``acting`` raises. Holds the announcement.
    """
    by_now = acting(by)
    held = held_announcement(announcement)
    want_mail(held, by=by_now)
    if held.told_at is None:
        tell(held)
    else:
        tell_by_mail(held)


def want_mail(announcement: Announcement, *, by: User) -> None:
    """Note that an announcement goes by mail too. The caller holds both, or has just made it."""
    if announcement.mail_requested_at is not None:
        raise AlreadyMailed
    if announcement.state == Announcement.State.EXPIRED:
        raise Over
    announcement.mail_requested_at = timezone.now()
    row = Announcement.objects.filter(pk=announcement.pk)
    row.update(mail_requested_at=announcement.mail_requested_at)
    audit.record("announcement_mailed", actor=by, target=announcement)


@transaction.atomic
def send_test(announcement: Announcement, *, by: User) -> None:
    """Mail an announcement as it is to whoever asks, alone, as often as they ask.

    Raises Missing (404) and what ``acting`` raises. Holds the announcement.
    """
    by_now = acting(by)
    held = held_announcement(announcement)
    data = {"id": held.pk, "title": held.title}
    notify(TEST_KIND, subject=f"{held.pk} {uuid4()}", data=data, to=[by_now.pk])
