"""The app's configuration: sessions end with a person's access, challenges with an address."""

from django.apps import AppConfig


class AuthenticationConfig(AppConfig):
    name = "authentication"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        from authentication import schema, tasks  # noqa: F401 - they register themselves
        from authentication.challenges import void
        from authentication.letters import SESSION_ENDED, SIGN_IN
        from authentication.personal import documents_of
        from authentication.sessions import end_all_sessions
        from core.notifications.kinds import register
        from core.registry import access_ended, address_left, my_data

        access_ended.add("authentication", end_all_sessions)
        address_left.add("authentication", void)
        my_data.add("authentication", documents_of)
        register(SIGN_IN, SESSION_ENDED)
