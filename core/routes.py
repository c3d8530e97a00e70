"""Routes that remember which of them answers a path."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from django.urls import URLResolver
from django.urls.resolvers import ResolverMatch, RoutePattern

PATHS_KEPT: Final = 4096
LONGEST_KEPT: Final = 200  # characters of a path: nobody fills the memory with long ones


class RememberedRoutes(URLResolver):
    """Finds the route of a path once: Django asks one after another.

    What no route answers is not kept, and neither is what was tried before.
    """

    def __init__(self, prefix: str, patterns: list[Any]) -> None:
        super().__init__(RoutePattern(prefix), patterns)
        self.remembered = lru_cache(PATHS_KEPT)(self.found)

    def resolve(self, path: Any) -> ResolverMatch:
        text = str(path)
        return self.remembered(text) if len(text) <= LONGEST_KEPT else self.found(text)

    def found(self, path: str) -> ResolverMatch:
        """Return the match of a path, which nobody changes. Raises Resolver404."""
        match = super().resolve(path)
        match.tried = None
        return match
