"""What a track is when somebody asks for one: the same for people and for groups."""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from core.prepared import Slot, value_of

EVERY_TRACK: Final = {"", "global"}


def on_track(text: str | Slot, column: str = "track") -> Q:
    """Return the condition for a track: equal without regard to case; blank or ``global`` is every one.

    Both sides are folded by the database, whose idea of upper and lower case its index has too.
    """
    if isinstance(text, str) and text.strip().lower() in EVERY_TRACK:
        return Q()
    wanted = text.strip() if isinstance(text, str) else text
    return Q(Exact(Lower(column), Lower(value_of(wanted))))
