"""Where somebody is, in the words of the sidebar: above every page of the admin site."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django import template

from btf_backend.console.lists import list_of
from btf_backend.console.navigation import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

register = template.Library()


@cache
def places() -> dict[str, tuple[str, str]]:
    """Return the section and the name of each list that is in the sidebar, by its address."""
    return {list_of(model): (section, name) for section, pages in SECTIONS for name, _, model in pages}


@register.simple_tag
def trail(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the library's steps (app, list, row) with what the sidebar calls the first two; none twice."""
    steps = list(parts)
    place = places().get(str(steps[1].get("link"))) if len(steps) > 1 else None
    if place:
        section, name = place
        steps[:2] = [{"title": section}, {**steps[1], "title": name}]
    is_twice = len(steps) > 1 and str(steps[0]["title"]).lower() == str(steps[1]["title"]).lower()
    return steps[1:] if is_twice else steps
