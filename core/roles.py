"""The words for who somebody is and for whom something is meant, said once."""

from typing import Final

from django.db.models import TextChoices

# Whoever has been erased, wherever something of theirs stays (CONTRACT D5).
FORMER_MEMBER: Final = "Former member"


class Role(TextChoices):
    """What an account is in the programme."""

    STUDENT = "student", "Student"
    MENTOR = "mentor", "Mentor"
    SUPERVISOR = "supervisor", "Supervisor"
    ADMIN = "admin", "Admin"


class Audience(TextChoices):
    """For whom a resource or an announcement is meant: everybody, or one role."""

    ALL = "all", "Everyone"
    STUDENT = "student", "Students"
    MENTOR = "mentor", "Mentors"
    SUPERVISOR = "supervisor", "Supervisors"
    ADMIN = "admin", "Admins"
