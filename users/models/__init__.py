"""Accounts, what they say about themselves, who looks after whom; spreadsheets and archives of people."""

from users.models.archives import DataArchive
from users.models.headcounts import Headcount
from users.models.imports import ErasedAddress, ImportRow, PeopleImport
from users.models.links import JoinPermissionChange, StudentSupervisor
from users.models.people import SupervisorProfile, User, UserManager, UserProfile

__all__ = [
    "DataArchive",
    "ErasedAddress",
    "Headcount",
    "ImportRow",
    "JoinPermissionChange",
    "PeopleImport",
    "StudentSupervisor",
    "SupervisorProfile",
    "User",
    "UserManager",
    "UserProfile",
]
