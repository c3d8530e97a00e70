"""Locks on events: people first, then groups, then events in the order of their ids; never a person after.

An event's row keeps its seats and its waiting list from being changed by two at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.preconditions import confirm
from core.refusals import Missing
from events.models import Event
from users.services.holding import acting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from users.models import User


class HeldEvent(NamedTuple):
    """An event as it is now, its row locked, and who acts."""

    event: Event
    by: User


def hold_event(event_id: int, *, by: User) -> HeldEvent:
    """Lock who acts, and then the event. Raises Missing (404), and what ``acting`` and ``confirm`` raise."""
    by = acting(by)
    for event in hold_events([event_id]):
        confirm()
        return HeldEvent(event, by)
    raise Missing


def hold_events(ids: Iterable[int]) -> list[Event]:
    """Lock events, those of them that are still there; whoever acts is held already."""
    rows = Event.objects.select_for_update(no_key=True).filter(pk__in=list(ids))
    return list(rows.order_by("pk"))
