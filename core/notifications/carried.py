"""What a daily mail carries: deliveries that wait for it, and become what it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from core.models.notices import DeliveryQuerySet

State = Delivery.State

# Failed: with that mail, which an admin may send again.
OPEN: Final = (State.WAITING, State.FAILED)
OUTCOMES: Final[dict[str, str]] = {
    State.SENT: State.DIGESTED,
    State.FAILED: State.FAILED,
    State.DROPPED: State.DROPPED,
}


def carried_by(mail: int | None) -> DeliveryQuerySet:
    """Return what a daily mail (by id) carries and has not been told yet, oldest first."""
    return Delivery.objects.filter(carried_by=mail, carried_by__isnull=False, state__in=OPEN).order_by("pk")


def hold_carried(mail: int) -> list[int]:
    """Lock it, before the mail itself: in the order of ids, as whoever writes several takes them."""
    return list(carried_by(mail).select_for_update(no_key=True).values_list("pk", flat=True))


def settle_carried(carried: Collection[int], *, state: str, reason: str) -> None:
    """Write what became of it with its mail, in the transaction in which that is written of the mail."""
    if carried and state in OUTCOMES:
        Delivery.objects.filter(pk__in=carried).update(state=OUTCOMES[state], reason=reason)


def drop(gone: Mapping[str, Collection[int]]) -> None:
    """Write of deliveries, by the reason, that they are in no daily mail after all."""
    for reason, ids in gone.items():
        rows = Delivery.objects.filter(pk__in=ids, state__in=OPEN)
        rows.update(state=State.DROPPED, reason=reason)
