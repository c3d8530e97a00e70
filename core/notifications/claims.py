"""Which worker sends which mail: a claim, which runs out by itself where its worker is killed.

To claim is to move ``due_at`` on: what nobody settles is due again then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from core.lost_tasks import hold_again
from core.models import Delivery
from core.notifications.carried import hold_carried, settle_carried

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.models.notices import DeliveryQuerySet

BATCH: Final = 20
LEASE: Final = timedelta(minutes=3)
State = Delivery.State


class Claim(NamedTuple):
    """A delivery that a worker means to send, and until when nobody else does."""

    delivery: int
    until: datetime
    carries: bool = False  # others go with it, and become what it becomes

    def rows(self) -> DeliveryQuerySet:
        """Return the delivery for as long as the claim holds: a worker that was held up has lost it."""
        return Delivery.objects.filter(pk=self.delivery, state=State.QUEUED, due_at=self.until)

    def renewed(self) -> Claim | None:
        """Claim it anew at the moment of sending, which counts as a try; None where the claim is lost."""
        until = timezone.now() + LEASE
        held = self.rows().update(due_at=until, attempts=F("attempts") + 1)
        return Claim(self.delivery, until) if held else None

    def settle(self, *, state: str, reason: str = "", **more: Any) -> None:
        """Write what became of it, at once and alone: whoever is killed after it has lost no other.

        The mail may have left: where the session was cut off meanwhile, it is written over another.
        """
        values = {"state": state, "reason": reason, "due_at": None, **more}
        try:
            self.write(values)
        except OperationalError:
            if connection.in_atomic_block:
                raise
            connection.close()
            hold_again()
            self.write(values)

    def write(self, values: dict[str, Any]) -> None:
        """Write it, and with it, or not at all, what became of the deliveries that it carries."""
        if not self.carries:
            self.rows().update(**values)
            return
        with transaction.atomic():
            carried = hold_carried(self.delivery)
            if self.rows().update(**values):
                settle_carried(carried, state=values["state"], reason=values["reason"])


@transaction.atomic
def claim_batch() -> list[Claim]:
    """Claim the most urgent mail that is due, for three minutes."""
    rows = Delivery.objects.due().select_for_update(skip_locked=True, no_key=True)
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    until = timezone.now() + LEASE
    Delivery.objects.filter(pk__in=ids).update(due_at=until)
    return [Claim(one, until) for one in ids]


def put_back(claims: Collection[Claim]) -> None:
    """Give up claims on mail that was not tried: it is due again now. One statement."""
    untils = {each.until for each in claims}
    held = Delivery.objects.filter(state=State.QUEUED, due_at__in=untils)
    held.filter(pk__in=[each.delivery for each in claims]).update(due_at=timezone.now())
