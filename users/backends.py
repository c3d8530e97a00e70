"""Signing in by password, which opens the admin site alone."""

from typing import Any

from django.contrib.auth.backends import ModelBackend


class PasswordBackend(ModelBackend):
    """Asks the account-status gate at sign-in and at every request: suspension works at once here too."""

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user.may_enter)
