"""Which people a desk has to look at: permissions to join that are missing, and checks that run out.

A WWCC is good through the day of its expiry, by the programme's calendar (PROGRAMME_TIME_ZONE).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, OuterRef, Q

from core.moments import programme_today
from core.roles import Role
from users.models.links import StudentSupervisor

if TYPE_CHECKING:
    from users.models.people import UserQuerySet

# Whoever set the programme up has the role of a student until somebody gives them another.
IS_STUDENT: Final = Q(role=Role.STUDENT, is_superuser=False)


def without_permission(people: UserQuerySet) -> UserQuerySet:
    """Students who may use the platform, and no link of whom has a permission that counts."""
    permitted = StudentSupervisor.objects.effective().filter(student=OuterRef("pk"))
    return people.may_enter().filter(IS_STUDENT, ~Exists(permitted))


def adults(people: UserQuerySet) -> UserQuerySet:
    """Whoever may use the platform and is no student: of them a check is kept."""
    return people.may_enter().filter(~IS_STUDENT)


def with_check_ending(people: UserQuerySet, *, within_days: int) -> UserQuerySet:
    """Adults whose check is good today, and is not any more within so many days."""
    today = programme_today()
    return adults(people).filter(
        supervisor_profile__wwcc_expiry__range=(today, today + timedelta(days=within_days))
    )


def with_check_expired(people: UserQuerySet) -> UserQuerySet:
    """Adults whose check was good until yesterday, or until some day before."""
    return adults(people).filter(supervisor_profile__wwcc_expiry__lt=programme_today())
