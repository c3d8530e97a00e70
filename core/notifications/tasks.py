"""What tells people in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.models import Delivery
from core.notifications import digests, fanout, sending
from core.periodic import periodic
from core.tasks import background, enqueue, is_waiting
from core.turns import take_turn

AGAIN: Final = "core.notifications.tasks"
SEEMS_LOST: Final = timedelta(minutes=5)
SEND_SECONDS: Final = 150


@background(attempts=8)
def fan_out(*, notice_id: int) -> None:
    """Write the deliveries of a notice: each turn goes on where the last one stopped."""
    take_turn(fanout.fan_out_next, again=f"{AGAIN}.fan_out", notice_id=notice_id)


@background(queue="mail", priority=-10, attempts=3, limit_seconds=SEND_SECONDS)
def send_mail() -> None:
    """Send mail that is due, for a turn; then queue up anew."""
    take_turn(sending.send_next_batch, again=fanout.SEND)


@periodic("look_for_mail", every=timedelta(seconds=20), limit_seconds=60)
def look_for_mail() -> dict[str, int]:
    """Have mail sent whose time has come: after quiet hours, after a fault, or after a worker was killed."""
    due = Delivery.objects.due()[:1_000].count()
    if due and not is_waiting(fanout.SEND):
        enqueue(fanout.SEND)
    return {"due": due}


@periodic("resume_notices", every=timedelta(minutes=5), limit_seconds=60)
def resume_notices() -> dict[str, int]:
    """Take up notices of which not everybody was told, as their work was lost."""
    lost = fanout.unfinished(older_than=SEEMS_LOST)
    for notice_id in lost:
        enqueue(fanout.SEND.replace("send_mail", "fan_out"), notice_id=notice_id)
    return {"resumed": len(lost)}


@periodic("write_daily_mails", every=timedelta(minutes=30))
def write_daily_mails() -> dict[str, int]:
    """Write the daily mails of those whose day has come to that hour, and have them sent."""
    result = digests.write_daily_mails()
    if result["written"]:
        enqueue(fanout.SEND)
    return result
