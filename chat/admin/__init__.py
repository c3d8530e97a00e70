"""Chat at the admin site: that something was said, by whom and when; what, only to an admin who says why."""

from chat.admin import messages, openings, reports

__all__ = ["messages", "openings", "reports"]
