"""What apps above people add to their list, and to the page of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin.options import InlineModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User


@dataclass(frozen=True, kw_only=True)
class PeopleAction:
    """An action of the list of people, for those whom ``allowed`` lets."""

    description: str
    run: Callable[[Any, HttpRequest, QuerySet[User]], HttpResponse | None]
    allowed: Callable[[HttpRequest], bool]


people_actions: Registry[PeopleAction] = Registry()
# Rows of upper apps that belong to a person: to look at.
person_inlines: Registry[type[InlineModelAdmin[Any, User]]] = Registry()
