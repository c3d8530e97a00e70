"""The app's configuration."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "People"

    def ready(self) -> None:
        from core.notifications.kinds import register
        from core.registry import access_ended, erasure, files_named, my_data
        from core.tallies import tallies
        from users import tasks  # noqa: F401 - they register themselves
        from users.letters import ACCOUNT_STATUS
        from users.models.headcounts import HEADCOUNTS
        from users.services.accounts import end_site_sessions
        from users.services.archive import FOLDER, archives_named
        from users.services.documents import documents_of
        from users.services.imports import forget_rows
        from users.services.traces import erase_traces

        access_ended.add("users", end_site_sessions)
        erasure.add("users", erase_traces)
        erasure.add("imports", forget_rows)
        files_named.add(FOLDER, archives_named)
        my_data.add("users", documents_of)
        register(ACCOUNT_STATUS)
        tallies.add("people", HEADCOUNTS)
