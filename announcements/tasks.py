"""What tells of announcements in the background."""

from __future__ import annotations

from datetime import timedelta

from announcements.services.telling import tell_due
from core.periodic import periodic


@periodic("publish_announcements", every=timedelta(minutes=1))
def publish_announcements() -> dict[str, int]:
    """Tell people of the announcements whose time has come."""
    return {"told": tell_due()}
