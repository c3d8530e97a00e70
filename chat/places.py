"""The rooms of groups in which sockets of this process sit, for those who come next."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from core.realtime import room_of_group

if TYPE_CHECKING:
    from groups.models import Group


class Place:
    """The room of a group. Its sockets hold it together, so it is known until the last of them has gone."""

    def __init__(self, room: str) -> None:
        self.room = room


known: WeakValueDictionary[str, Place] = WeakValueDictionary()  # by the group's id


def place_of(group: Group) -> Place:
    """Return the place of a group as it has just been read, to be held by whoever sits there."""
    room = room_of_group(group.room)
    place = known.setdefault(str(group.pk), Place(room))
    if place.room != room:
        place = known[str(group.pk)] = Place(room)
    return place
