"""The app's configuration: sign-in sessions end with a person's access, and old ones are pruned."""

from django.apps import AppConfig


class AuthenticationConfig(AppConfig):
    name = "authentication"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        from authentication import schema, tasks  # noqa: F401 - they register themselves
        from authentication.sessions import end_all_sessions
        from core.registry import access_ended

        access_ended.add("authentication", end_all_sessions)
