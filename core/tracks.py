"""What a track is when somebody asks for one: the same for people and for groups."""

from __future__ import annotations

from typing import Final

from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

EVERY_TRACK: Final = {"", "global"}


def on_track(text: str, column: str = "track") -> Q:
    """Return the condition for a track: equal without regard to case; blank or ``global`` is every one.

    Both sides are folded by the database, whose idea of upper and lower case its index has too.
    """
    wanted = text.strip()
    if wanted.lower() in EVERY_TRACK:
        return Q()
    return Q(Exact(Lower(column), Lower(Value(wanted))))
