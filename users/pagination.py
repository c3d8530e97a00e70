"""Pages of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.listing import Listing
from core.pagination import FoundPaginator, HousePagination
from core.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.listing import Found


class PeopleListing(Listing):
    """Has counted what a search finds before it fetches a page of it, and chooses how to fetch by that."""

    FEW: Final = 5_000

    def __init__(self, rows: Callable[[], Any], *, is_planned_anew: bool) -> None:
        super().__init__(rows, is_planned_anew=is_planned_anew)
        self.is_searched = bool(rows().is_searched)
        self.few = Prepared(lambda: rows().found_by_name(), is_planned_anew=True)

    @property
    def counts_first(self) -> bool:
        return self.is_searched

    def page(self, found: Found, start: int, size: int) -> list[Any]:
        if self.is_searched and found.total <= self.FEW:
            return self.few.window(start, size, **found.values)
        return super().page(found, start, size)


class PeoplePagination(HousePagination):
    """Up to 500 people a page: the web client fills its pickers in one go."""

    max_page_size = 500
    django_paginator_class = FoundPaginator
