"""Lists whose queries are put into words once for each way in which they are asked for."""

from __future__ import annotations

from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from django.db import models
from django.db.models import Subquery
from rest_framework.mixins import ListModelMixin

from core.aggregates import Counted
from core.filters import narrowed, narrowing_of
from core.prepared import Prepared, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.response import Response

    from users.models import User

    Rows = Callable[[], QuerySet[Any]]
    Narrow = Callable[[QuerySet[Any]], QuerySet[Any]]

NUMBER: Final = models.BigIntegerField()
WAYS_KEPT: Final = 300  # some 150 KiB each


class SomeViewer(NamedTuple):
    """Stands for whoever will ask, where a query is prepared: what conditions on rows read of a viewer."""

    is_platform_admin: bool
    pk: Slot = Slot("viewer", NUMBER)
    role: Slot = Slot("viewer_role", models.CharField())


class Window(Subquery):
    """So many rows of a query after the first few, both told when it is asked."""

    def as_sql(self, *args: Any, **options: Any) -> Any:
        sql, parameters = super().as_sql(*args, **options)
        return f"{sql[:-1]} LIMIT %s OFFSET %s)", (*parameters, Slot("size", NUMBER), Slot("start", NUMBER))


class Listing:
    """One way of asking for a list: how many rows, and pages of them.

    A later page is found by its ids, which an index in the list's order has, from whichever end is nearer,
    and only then read: whatever is skipped is never read. For that it must be known how many rows there are.
    Where all who may ask find the same, they are mostly as many as the last time: it is asked for as if they
    were, and says how many they are.
    """

    is_alike: ClassVar[bool] = False  # to all who may ask

    def __init__(
        self, rows: Rows, *, narrow: Narrow, is_planned_anew: bool, brings_total: bool = False
    ) -> None:
        """``narrow`` is what has made ``rows`` of all that the viewer sees."""
        self.narrow = narrow
        # A search takes longer than a round trip: what it finds is counted where that is more than a page.
        self.brings_total = brings_total or not is_planned_anew
        self.is_expected, self.last_total = self.is_alike and not is_planned_anew, 0
        first = partial(self.with_total, rows) if self.brings_total else rows
        read = partial(self.with_total, rows) if self.is_expected else rows
        self.ids = Prepared(lambda: rows().order_by().values("pk"), is_planned_anew=is_planned_anew)
        self.first = Prepared(first, is_planned_anew=is_planned_anew)
        self.later = Prepared(lambda: found_by(read(), rows()), is_planned_anew=True)
        self.from_end = Prepared(lambda: found_by(read(), rows().reverse()), is_planned_anew=True)

    def with_total(self, rows: Rows) -> QuerySet[Any]:
        """Return rows of which each says how many there are; PostgreSQL counts them once."""
        counted: QuerySet[Any] = rows().annotate(total_found=self.total_of(rows))
        return counted

    def total_of(self, rows: Rows) -> Subquery:
        return Counted(rows().order_by().values("pk"))

    def count(self, **values: Any) -> int:
        return self.ids.count(**values)

    def page(self, found: Found, start: int, size: int) -> list[Any]:
        if start:
            return self.later_page(found, start, size)
        rows = self.first.window(0, size, **found.values)
        if rows and self.brings_total:
            found.total = rows[0].total_found
        return rows

    def later_page(self, found: Found, start: int, size: int) -> list[Any]:
        if found.is_counted or not self.is_expected:
            return self.after(start, size, of=found.total, values=found.values)
        expected = self.last_total  # which other threads change
        rows = self.after(start, size, of=expected, values=found.values)
        if rows:
            found.total = rows[0].total_found
        self.last_total = found.total
        return rows if found.total == expected else self.later_page(found, start, size)

    def after(self, start: int, size: int, *, of: int, values: dict[str, Any]) -> list[Any]:
        """Ask for ``size`` rows after the first ``start`` of so many."""
        left = of - start
        if left <= 0:
            return []
        if start <= left:
            return self.later.objects(start=start, size=size, **values)
        size = min(size, left)
        return self.from_end.objects(start=left - size, size=size, **values)


def found_by(rows: QuerySet[Any], in_order: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(pk__in=Window(in_order.values("pk")))


class Found:
    """What somebody finds in a list. A paginator takes it for a queryset: it is counted and sliced."""

    def __init__(self, listing: Listing, values: dict[str, Any]) -> None:
        self.listing, self.values = listing, values

    def count(self) -> int:
        return self.total

    @property
    def is_counted(self) -> bool:
        return "total" in vars(self)

    @cached_property
    def total(self) -> int:
        return self.listing.count(**self.values)

    def __getitem__(self, window: slice) -> list[Any]:
        return self.listing.page(self, window.start, window.stop - window.start)


class PreparedListMixin(ListModelMixin):
    """Gives a viewset a list that is prepared. Filters may only be such as ``narrowing_of`` knows."""

    request: Any
    filterset_class: Any
    listing_class: ClassVar[type[Listing]] = Listing

    @staticmethod
    def rows_for(viewer: User | SomeViewer) -> QuerySet[Any]:
        """Return the rows that somebody sees, in order."""
        raise NotImplementedError

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        narrowing = narrowing_of(self.filterset_class, request.query_params)
        if narrowing is None:
            return super().list(request, *args, **kwargs)  # which says what is wrong with it
        viewer = self.request.user
        listing = listing_of(type(self), viewer.is_platform_admin, narrowing.shape)  # type: ignore[arg-type]
        found = Found(listing, {"viewer": viewer.pk, "viewer_role": viewer.role, **narrowing.values})
        view: Any = self
        rows = view.get_serializer(view.paginate_queryset(found), many=True).data
        return view.get_paginated_response(rows)  # type: ignore[no-any-return]


@lru_cache(WAYS_KEPT)
def listing_of(
    view: type[PreparedListMixin],
    is_platform_admin: bool,  # noqa: FBT001 - one of two ways
    shape: tuple[tuple[str, Any], ...],
) -> Listing:
    viewer = SomeViewer(is_platform_admin)
    narrow = partial(narrowed, kind=view.filterset_class, shape=shape)
    return view.listing_class(
        lambda: narrow(view.rows_for(viewer)),
        narrow=narrow,
        # The best plan for what is searched for depends on it.
        is_planned_anew=any(value is None for _, value in shape),
    )
