"""Resources at the admin site."""

from resources.admin import resources

__all__ = ["resources"]
