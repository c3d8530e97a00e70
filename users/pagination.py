"""Pages of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.paginator import Page, Paginator

from core.pagination import HousePagination
from users.models import User

if TYPE_CHECKING:
    from users.models.people import UserQuerySet


class PeoplePaginator(Paginator[User]):
    """Has counted what was found before it fetches a page of it, and chooses how to fetch by that."""

    FEW: Final = 5_000
    object_list: UserQuerySet

    def page(self, number: int | str) -> Page[User]:
        if self.object_list.is_searched and self.count <= self.FEW:
            self.object_list = self.object_list.found_by_name()
        return super().page(number)


class PeoplePagination(HousePagination):
    """Up to 500 people a page: the web client fills its pickers in one go."""

    max_page_size = 500
    django_paginator_class = PeoplePaginator
