"""People and links for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from core.roles import Role
from users.models import StudentSupervisor, User

numbers = count(1)


def make_user(**fields: Any) -> User:
    """Return a stored user with an address of its own, and nothing else that was not asked for.

    Staff are active: the admin site opens for no others.
    """
    fields.setdefault("email", f"person{next(numbers)}@example.org")
    if fields.get("is_staff"):
        fields.setdefault("status", User.Status.ACTIVE)
    return User.objects.create_user(**fields)


def make_admin(**fields: Any) -> User:
    """Return an active programme admin."""
    return make_user(role=Role.ADMIN, status=User.Status.ACTIVE, **fields)


def make_superuser(**fields: Any) -> User:
    """Return an active account that may do everything at the admin site."""
    return make_user(is_staff=True, is_superuser=True, **fields)


def make_link(student: User, supervisor: User, **fields: Any) -> StudentSupervisor:
    """Return a stored link between the two."""
    return StudentSupervisor.objects.create(student=student, supervisor=supervisor, **fields)
