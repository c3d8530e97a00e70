"""The app's configuration."""

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "Groups"

    def ready(self) -> None:
        from core.registry import erasure, my_data
        from groups import tasks  # noqa: F401 - they register themselves
        from groups.personal import documents_of, keep_places

        erasure.add("groups", keep_places)
        my_data.add("groups", documents_of)
