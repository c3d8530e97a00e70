"""For whom something is published, and who therefore sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q

from core.roles import Audience

if TYPE_CHECKING:
    from typing import Self

    from core.listing import SomeViewer
    from users.models import User
    from users.models.people import UserQuerySet

Row = TypeVar("Row", bound=models.Model)


def audience_field() -> models.CharField[Any, Any]:
    """Return the column that says for whom a row is meant."""
    return models.CharField(max_length=20, choices=Audience, default=Audience.ALL)


class AudienceQuerySet(models.QuerySet[Row]):
    """Rows with an audience; ``audience_column`` names the column."""

    audience_column = "audience"

    def visible_to(self, user: User | SomeViewer) -> Self:
        """Platform admins see every row; others what is for everyone or for their role."""
        if user.is_platform_admin:
            return self
        return self.filter(**{f"{self.audience_column}__in": [Audience.ALL, user.role]})


def people_for(audience: str) -> UserQuerySet:
    """Return who sees what is for that audience: the same rule, asked from the other end.

    Whoever may enter at all, pending people too. List, badge and mail ask here, and nowhere else.
    """
    people = get_user_model()
    let_in: UserQuerySet = people.objects.may_enter()
    return let_in if audience == Audience.ALL else let_in.filter(people.ADMINS | Q(role=audience))
