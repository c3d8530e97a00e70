"""One search over what admins look for most, for the sidebar of the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.contrib import admin
from django.core.paginator import Paginator
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from btf_backend.console.lists import may_see
from btf_backend.console.navigation import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

# Symbol and model; what each is found by are the search_fields of its own page.
SEARCHED: Final = [
    ("group", "users.user"),
    ("diversity_3", "groups.group"),
    ("event", "events.event"),
    ("menu_book", "resources.resource"),
    ("campaign", "announcements.announcement"),
]
MOST_OF_EACH: Final = 8
SHORTEST: Final = 2  # letters: one would find half of everybody
LONGEST: Final = 100


def answer_search(request: HttpRequest) -> TemplateResponse:
    """Answer with the lines under the search field: pages first, then rows that this person may open."""
    words = request.GET.get("s", "").strip()[:LONGEST]
    found = [*pages_named(request, words), *rows_found(request, words)] if len(words) >= SHORTEST else []
    lines = Paginator(found, max(len(found), 1))
    context = {"page_obj": lines, "results": lines.page(1), "page_counter": 0, "execution_time": 0}
    template = "command_results" if "extended" in request.GET else "search_results"
    headers = {"HX-Trigger": "search", "Cache-Control": "no-store"}
    return TemplateResponse(request, f"unfold/helpers/{template}.html", context, headers=headers)


def pages_named(request: HttpRequest, words: str) -> Iterator[SearchResult]:
    """Yield the pages of the sidebar that are called so."""
    for section in sections(request):
        for page in section["items"]:
            if words.lower() in page["title"].lower():
                shown = {name: page[name] for name in ("title", "link", "icon")}
                yield SearchResult(description=section.get("title", ""), **shown)


def rows_found(request: HttpRequest, words: str) -> Iterator[SearchResult]:
    """Yield the first of each model that match, in one query each."""
    for icon, label in SEARCHED:
        if not may_see(label, request):
            continue
        page = admin.site.get_model_admin(apps.get_model(label))
        rows, _ = page.get_search_results(request, page.get_queryset(request), words)
        for row in rows[:MOST_OF_EACH]:
            link = reverse(f"admin:{label.replace('.', '_')}_change", args=[row.pk])
            name = str(page.opts.verbose_name).capitalize()
            yield SearchResult(title=str(row), description=name, link=link, icon=icon)
