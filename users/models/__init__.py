"""Accounts, what they say about themselves, and who looks after whom."""

from users.models.links import JoinPermissionChange, StudentSupervisor
from users.models.people import SupervisorProfile, User, UserManager, UserProfile

__all__ = [
    "JoinPermissionChange",
    "StudentSupervisor",
    "SupervisorProfile",
    "User",
    "UserManager",
    "UserProfile",
]
