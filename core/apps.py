"""The app's configuration: its start-up checks join Django's."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Platform"

    def ready(self) -> None:
        from core import checks, converters, retention  # noqa: F401 - they register themselves
