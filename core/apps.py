"""The app's configuration: its start-up checks join Django's."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Platform"

    def ready(self) -> None:
        from core import checks, converters, retention  # noqa: F401 - they register themselves
        from core.personal import documents_of
        from core.registry import erasure, my_data
        from core.uploads import reaper, rescan  # noqa: F401 - they register themselves
        from core.uploads.erasure import erase_uploads

        erasure.add("core", erase_uploads)
        my_data.add("core", documents_of)
