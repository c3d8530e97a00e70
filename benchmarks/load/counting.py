"""What it costs PostgreSQL alone to count what a page of the admin's says there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import QueryDict

from .scenes import become, name_of
from .servers import family_cpu_seconds

if TYPE_CHECKING:
    from .scenes import Scene

# What the page is narrowed by.
COUNTED: Final = {
    "admin users first": "",
    "admin users deep": "",
    "admin users search": "search=person+12",
}
TIMES: Final = 100


def counting_ms(scene: Scene, name: str, database: int) -> float:
    """Return the CPU milliseconds of one count, in the words of the page; 0 where nothing is counted."""
    from core.filters import narrowing_of
    from core.listing import Found, listing_of
    from users.views.people import PeopleViewSet

    if name not in COUNTED:
        return 0.0
    become(name_of(scene.people, scene.messages))
    narrowing: Any = narrowing_of(PeopleViewSet.filterset_class, QueryDict(COUNTED[name]))
    listing = listing_of(PeopleViewSet, True, narrowing.shape)  # noqa: FBT003 - as an admin
    Found(listing, narrowing.values).count()
    before = family_cpu_seconds(database)
    for _ in range(TIMES):
        Found(listing, narrowing.values).count()
    return (family_cpu_seconds(database) - before) * 1000 / TIMES
