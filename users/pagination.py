"""Pages of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.aggregates import Summed
from core.listing import Listing
from core.pagination import FoundPaginator, HousePagination
from core.prepared import Prepared
from users.models.headcounts import headcounts
from users.models.people import BY_NAME

if TYPE_CHECKING:
    from django.db.models import Subquery

    from core.listing import Found, Narrow, Rows


class PeopleListing(Listing):
    """Adds headcounts up; finds, counts and sorts what a search finds in one query, unless that is very much.

    PostgreSQL would walk the index of names until a page is full, as if those whose name was searched for did
    not lie together, anywhere in it. That is right for many alone, of whom some are met soon: they are found
    anew then, and have cost up to twice as much.
    """

    FEW: Final = 5_000
    is_alike = True

    def __init__(self, rows: Rows, *, narrow: Narrow, is_planned_anew: bool) -> None:
        searched: Any = rows()
        self.finds_few = bool(searched.is_searched)
        super().__init__(rows, narrow=narrow, is_planned_anew=is_planned_anew, brings_total=True)
        self.few = Prepared(lambda: rows().order_by(), is_planned_anew=True)
        self.headcounts = None if self.finds_few else Prepared(lambda: narrow(headcounts()))

    def total_of(self, rows: Rows) -> Subquery:
        if self.finds_few:
            return super().total_of(rows)
        return Summed(self.narrow(headcounts()), column="people")

    def count(self, **values: Any) -> int:
        return self.headcounts.sum_of("people", **values) if self.headcounts else super().count(**values)

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
