"""Announcements at the admin site."""

from announcements.admin import announcements

__all__ = ["announcements"]
