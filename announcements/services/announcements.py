"""Announcements as platform admins write them, and as people acknowledge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from announcements.models import BACKWARDS, Acknowledgement, Announcement
from announcements.services.holding import held_announcement
from announcements.services.mailing import want_mail
from announcements.services.telling import follow, tell, unsay
from core import audit
from core.refusals import Missing, Refused
from users.services.holding import acting

if TYPE_CHECKING:
    from users.models import User


class Backwards(Refused):
    """An announcement that expires before anybody could read it (400)."""

    code = "validation_error"
    sentence = BACKWARDS


@transaction.atomic
def create_announcement(*, by: User, send_email: bool = False, **values: Any) -> Announcement:
    """Publish an announcement, at once or at its time, and tell its audience of it; by mail too if asked.

    Raises Backwards (400), Over (400) where it is to be mailed and has expired, and what ``acting`` raises.
    """
    by_now = acting(by)
    announcement = Announcement(**values)
    check_times(announcement)
    announcement.save()
    audit.record("announcement_created", actor=by_now, target=announcement)
    if send_email:
        want_mail(announcement, by=by_now)
    tell(announcement)
    return announcement


@transaction.atomic
def change_announcement(announcement: Announcement, *, by: User, values: dict[str, Any]) -> None:
    """Change some of an announcement; who has acknowledged it has done so for good.

    Its audience is told where this is what publishes it, and never again.
    Raises Backwards (400), Missing (404) and what ``acting`` raises. Holds the announcement.
    """
    by_now = acting(by)
    held = held_announcement(announcement)
    before = {name: getattr(held, name) for name in values}
    for name, value in values.items():
        setattr(held, name, value)
    held.normalise()
    changes = audit.difference(before, {name: getattr(held, name) for name in values})
    if changes:
        check_times(held)
        held.save()
        audit.record("announcement_changed", actor=by_now, target=held, changes=changes)
        follow(held, changes)
        tell(held)


@transaction.atomic
def delete_announcement(announcement: Announcement, *, by: User) -> None:
    """Delete an announcement for good, and with it who has acknowledged it, and what inboxes say of it.

    Raises Missing (404) and what ``acting`` raises. Holds the announcement.
    """
    by_now = acting(by)
    held = held_announcement(announcement)
    # From here on nothing new can point at the row: what the cascade collects is all there is.
    Announcement.objects.select_for_update().get(pk=held.pk)
    audit.record("announcement_deleted", actor=by_now, target=held)
    unsay(held)
    held.delete()


def acknowledge(announcement: Announcement, *, by: User) -> tuple[Acknowledgement, bool]:
    """Note once that somebody has read an announcement; answer the note, and whether it is new.

    The caller has been shown the announcement. Raises Missing (404) where it, or the person, has been
    deleted meanwhile: a foreign key tells at the commit. Durable, and holds nothing.
    """
    try:
        with transaction.atomic(durable=True):
            return Acknowledgement.objects.get_or_create(announcement=announcement, user=by)
    except IntegrityError as error:
        raise Missing from error


def check_times(announcement: Announcement) -> None:
    begins, ends = announcement.publish_at, announcement.expires_at
    if begins and ends and ends <= begins:
        raise Backwards(field="expiresAt")
