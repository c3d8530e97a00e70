"""The app's configuration."""

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "Groups"

    def ready(self) -> None:
        from core.notifications.kinds import register
        from core.registry import calendar_entries, erasure, held_for_erasure, my_data
        from core.tallies import tallies
        from groups import tasks  # noqa: F401 - they register themselves
        from groups.calendar import entries_of
        from groups.letters import TASK_DUE
        from groups.models.counts import GROUP_COUNTS
        from groups.personal import documents_of, hold_groups, keep_places

        calendar_entries.add("groups", entries_of)
        erasure.add("groups", keep_places)
        held_for_erasure.add("groups", hold_groups)
        my_data.add("groups", documents_of)
        register(TASK_DUE)
        tallies.add("groups", GROUP_COUNTS)
