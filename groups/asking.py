"""Questions whose words depend on who asks, put into words once for each kind of person."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import models

from core.prepared import Prepared, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from users.models import User

GROUP: Final = Slot("group", models.CharField())


class Anybody(Slot):
    """The place of a person in a query, named ``viewer``: all that rules on who sees a group ask of one."""

    def __init__(self, role: str, *, is_platform_admin: bool) -> None:
        super().__init__("viewer", models.BigIntegerField())
        self.role, self.is_platform_admin = role, is_platform_admin


class ByKind:
    """A question that ``build`` writes for anybody, who may be handed to ``visible_to``.

    >>> SEEN = ByKind(lambda anybody: Group.objects.visible_to(anybody))
    >>> SEEN.of(ada).objects(viewer=ada.pk)
    """

    def __init__(self, build: Callable[[Any], QuerySet[Any, Any]]) -> None:
        self.build = build
        self.of_kind = lru_cache(self.prepare)

    def of(self, viewer: User) -> Prepared:
        """Return the question as it is asked by a person like this one."""
        return self.of_kind(viewer.role, is_platform_admin=viewer.is_platform_admin)

    def prepare(self, role: str, *, is_platform_admin: bool) -> Prepared:
        return Prepared(lambda: self.build(Anybody(role, is_platform_admin=is_platform_admin)))
