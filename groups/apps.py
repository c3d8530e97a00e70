"""The app's configuration."""

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "Groups"

    def ready(self) -> None:
        from core.registry import erasure, held_for_erasure, my_data
        from groups import tasks  # noqa: F401 - they register themselves
        from groups.personal import documents_of, hold_groups, keep_places

        erasure.add("groups", keep_places)
        held_for_erasure.add("groups", hold_groups)
        my_data.add("groups", documents_of)
