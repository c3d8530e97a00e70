"""Pages of lists: ``?page=`` and ``?page_size=``, clamped, never refused for a silly size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination

if TYPE_CHECKING:
    from rest_framework.request import Request

LINK: Final[dict[str, Any]] = {"type": ["string", "null"], "format": "uri"}

PAGE: Final[dict[str, Any]] = {
    "description": "Which page, from 1, or `last`; 404 where there is none.",
    "schema": {"oneOf": [{"type": "integer", "minimum": 1}, {"const": "last"}]},
}


class HousePagination(PageNumberPagination):
    """20 rows a page by default, 1 to 100 on request; a page that does not exist is a 404."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        try:
            wanted = int(request.query_params[self.page_size_query_param])
        except (KeyError, ValueError):
            return self.page_size
        return max(1, min(wanted, self.max_page_size))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Say of ``page`` that it is a number or ``last``."""
        parameters = super().get_schema_operation_parameters(view)
        return [{**one, **PAGE} if one["name"] == self.page_query_param else one for one in parameters]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page in the words of OpenAPI 3.1, with all four keys that it always has."""
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "How many rows there are on all pages.",
                },
                "next": {**LINK, "description": "The address of the next page; null on the last."},
                "previous": {**LINK, "description": "The address of the page before; null on the first."},
                "results": schema,
            },
        }


class FoundPaginator(Paginator[Any]):
    """Reads a page before it counts, with one row more; and counts only where that is not all.

    A list that ``brings_total`` has been counted by then.
    """

    FARTHEST: Final = 1_000_000_000

    def page(self, number: int | str) -> Page[Any]:
        start = self.start_of(number)
        if start is None:
            return super().page(number)
        rows = self.object_list[start : start + self.per_page + 1]
        if len(rows) <= self.per_page and (rows or start == 0):
            self.count = start + len(rows)
        return Page(rows[: self.per_page], self.validate_number(number), self)

    def start_of(self, number: int | str) -> int | None:
        """Return how many rows are before a page; None where there can be no such page."""
        try:
            start = (int(number) - 1) * self.per_page
        except ValueError:
            return None
        return start if 0 <= start <= self.FARTHEST else None


class ContentPagination(HousePagination):
    """``CONTENT_PAGE_SIZE`` rows by default: the web client never asks for a second page (D9)."""

    django_paginator_class = FoundPaginator

    def get_page_size(self, request: Request) -> int:
        self.page_size = settings.CONTENT_PAGE_SIZE
        return super().get_page_size(request)
