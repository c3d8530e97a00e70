"""Filters of lists that the pages of several apps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Min
from django.db.models.functions import Lower

from core.tracks import on_track

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest


class ListedFilter(admin.SimpleListFilter):
    """Takes what it offers alone; anything else in the address is as if nothing was chosen."""

    def value(self) -> str | None:
        chosen = super().value()
        return chosen if chosen in dict(self.lookup_choices) else None


class NeedsFilter(ListedFilter):
    """Rows that wait for somebody at a desk.

    Each rule has its words, and narrows a page's rows. The work queue counts by the same rules, and leads
    to the list that is narrowed so.
    """

    title, parameter_name = "needs attention", "needs"
    rules: ClassVar[dict[str, tuple[str, Callable[[Any], QuerySet[Any]]]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, words) for name, (words, _) in self.rules.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return self.rules[chosen][1](queryset) if chosen else queryset


class TrackFilter(ListedFilter):
    """By track, as the API understands one; offered are those that rows of the page have."""

    title, parameter_name = "track", "track"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.model._default_manager.exclude(track="")  # noqa: SLF001 - documented API
        named = rows.order_by(Lower("track")).values(folded=Lower("track")).annotate(spelling=Min("track"))
        return [(spelling, spelling) for spelling in named.values_list("spelling", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(on_track(self.value() or ""))
