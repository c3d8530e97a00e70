"""Events and who comes, at the admin site: written by the same services as over the API."""

from events.admin import events, registrations

__all__ = ["events", "registrations"]
