"""Locks on announcements. Who acts is held before them (``users.services.holding``), their notices after."""

from __future__ import annotations

from announcements.models import Announcement
from core.preconditions import confirm
from core.refusals import Missing


def held_announcement(announcement: Announcement) -> Announcement:
    """Lock an announcement, and return it as it is now. Raises Missing (404), and what ``confirm`` raises."""
    found = Announcement.objects.select_for_update(no_key=True).filter(pk=announcement.pk).first()
    if found is None:
        raise Missing
    confirm()
    return found
