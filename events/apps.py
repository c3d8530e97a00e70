"""The app's configuration."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        from core.registry import my_data, uploads_needed
        from events.personal import documents_of, needed_uploads

        my_data.add("events", documents_of)
        uploads_needed.add("events", needed_uploads)
