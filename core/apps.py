"""The app's configuration: its start-up checks join Django's."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Platform"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in
        from django.db.models.signals import post_migrate

        from core import checks, converters, excel, retention, tally_keeper  # noqa: F401 - they register themselves
        from core.audit_keeper import hand_over
        from core.lost_tasks import watch_workers
        from core.notifications import retention as notices
        from core.notifications import tasks as notice_tasks  # noqa: F401 - they register themselves
        from core.notifications.digests import DAILY
        from core.notifications.erasure import erase_notices, hold_deliveries
        from core.notifications.kinds import register
        from core.personal import documents_of
        from core.registry import erasure, held_for_erasure, my_data
        from core.sessions import begin
        from core.uploads import reaper, rescan  # noqa: F401 - they register themselves
        from core.uploads import tasks as file_tasks  # noqa: F401 - they too
        from core.uploads.erasure import erase_uploads
        from core.watching import checks as watching_checks  # noqa: F401 - they too

        erasure.add("core", erase_uploads)
        erasure.add("notifications", erase_notices)
        held_for_erasure.add("notifications", hold_deliveries)
        my_data.add("core", documents_of)
        my_data.add("notifications", notices.documents_of)
        register(DAILY)
        watch_workers()
        user_logged_in.connect(begin, dispatch_uid="core.sessions")
        post_migrate.connect(hand_over, sender=self, dispatch_uid="core.audit_keeper")
