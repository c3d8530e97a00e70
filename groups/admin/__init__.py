"""Groups and their plans at the admin site. Platform admins write, by the same services as the API."""

from groups.admin import people, plan, teams, templates

__all__ = ["people", "plan", "teams", "templates"]
