"""The app's configuration."""

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "Groups"

    def ready(self) -> None:
        from core.registry import my_data
        from groups.personal import documents_of

        my_data.add("groups", documents_of)
