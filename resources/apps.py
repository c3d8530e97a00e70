"""The app's configuration."""

from django.apps import AppConfig


class ResourcesConfig(AppConfig):
    name = "resources"
    verbose_name = "Resources"

    def ready(self) -> None:
        from core.registry import uploads_needed
        from resources.personal import needed_uploads

        uploads_needed.add("resources", needed_uploads)
