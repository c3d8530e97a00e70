"""The app's configuration."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    name = "announcements"
    verbose_name = "Announcements"

    def ready(self) -> None:
        from announcements.personal import documents_of
        from core.registry import my_data

        my_data.add("announcements", documents_of)
