"""The app's configuration."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    name = "announcements"
    verbose_name = "Announcements"

    def ready(self) -> None:
        from announcements import tasks  # noqa: F401 - they register themselves
        from announcements.letters import NEWS, TEST
        from announcements.personal import documents_of, take_signature_off
        from core.notifications.kinds import register
        from core.registry import erasure, my_data

        erasure.add("announcements", take_signature_off)
        my_data.add("announcements", documents_of)
        register(NEWS, TEST)
