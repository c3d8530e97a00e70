"""The app's configuration: its start-up checks join Django's."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Platform"

    def ready(self) -> None:
        from core import checks, converters, retention  # noqa: F401 - they register themselves
        from core.lost_tasks import watch_workers
        from core.notifications import retention as notices
        from core.notifications import tasks, webhooks  # noqa: F401 - they register themselves
        from core.notifications.digests import DAILY
        from core.notifications.kinds import register
        from core.personal import documents_of
        from core.registry import erasure, my_data
        from core.uploads import reaper, rescan  # noqa: F401 - they register themselves
        from core.uploads import tasks as file_tasks  # noqa: F401 - they too
        from core.uploads.erasure import erase_uploads

        erasure.add("core", erase_uploads)
        my_data.add("core", documents_of)
        my_data.add("notifications", notices.documents_of)
        register(DAILY)
        webhooks.connect()
        watch_workers()
