"""Pages of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.listing import Listing
from core.pagination import FoundPaginator, HousePagination
from core.prepared import Prepared
from users.models.people import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.listing import Found


class PeopleListing(Listing):
    """Finds, counts and sorts in one query what a search finds, for a first page, unless it is a great deal.

    PostgreSQL would walk the index of names until a page is full, as if those whose name was searched for did
    not lie together, anywhere in it. That is right for many alone, of whom some are met soon: they are found
    anew then, and have cost up to twice as much.
    """

    FEW: Final = 5_000
    is_alike = True

    def __init__(self, rows: Callable[[], Any], *, is_planned_anew: bool) -> None:
        self.finds_few = bool(rows().is_searched)
        super().__init__(rows, is_planned_anew=is_planned_anew, brings_total=self.finds_few)
        self.few = Prepared(lambda: rows().order_by(), is_planned_anew=True)

    def page(self, found: Found, start: int, size: int) -> list[Any]:
        if not self.finds_few or (start and found.total > self.FEW):
            return super().page(found, start, size)
        total, people = self.few.sorted_window(BY_NAME, start, size, most=self.FEW + 1, **found.values)
        if total > self.FEW:
            return super().page(found, start, size)
        if start == 0:
            found.total = total
        return people


class PeoplePagination(HousePagination):
    """Up to 500 people a page: the web client fills its pickers in one go."""

    max_page_size = 500
    django_paginator_class = FoundPaginator
