"""Signing in by password, which opens the admin site alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied

from core.http import client_source
from core.limits import take_or_fall_back
from core.watching import metrics
from users.access import runs_the_desk
from users.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

TRIES_PER_ACCOUNT_AND_SOURCE: Final = "10/15m"
TRIES_PER_SOURCE: Final = "50/15m"
OF_RIGHTS: Final = "auth"  # Django's app of permissions and of groups that hold them


class PasswordBackend(ModelBackend):
    """Asks the account-status gate at sign-in and at every request: suspension works at once here too.

    A password is for superusers, whom no mail may lock out; other staff come by the mailed link or code.
    """

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> Any:
        """Check a password, within budgets: a used-up one refuses unseen, before any hashing."""
        if request is not None and "REMOTE_ADDR" in request.META:
            source, account = client_source(request), str(credentials.get("username", "")).lower()
            budgets = ((f"{source}:{account}", TRIES_PER_ACCOUNT_AND_SOURCE), (source, TRIES_PER_SOURCE))
            if any(take_or_fall_back(f"password:{bucket}", rates) for bucket, rates in budgets):
                logger.warning("password_budget_used_up")
                metrics.throttled.labels("password").inc()
                raise PermissionDenied
        person = super().authenticate(request, *args, **credentials)
        return person if isinstance(person, User) and person.is_superuser else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Let admins of the staff do all that pages offer, save giving rights."""
        return super().has_perm(user_obj, perm, obj) or (
            not perm.startswith(f"{OF_RIGHTS}.") and runs_the_desk(user_obj)
        )

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return super().has_module_perms(user_obj, app_label) or (
            app_label != OF_RIGHTS and runs_the_desk(user_obj)
        )

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user.may_enter)
