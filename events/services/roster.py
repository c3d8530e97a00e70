"""Who comes to an event, as admins keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from core import audit
from core.refusals import Refused
from core.spreadsheets import csv_text
from events.services.holding import hold_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.models import Event, EventRegistration
    from users.models import User

HEADER: Final = ("User ID", "Name", "Email", "Role", "Track", "Registered At", "Attended At")
MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"  # in UTC, as the database gives them
FETCH_ROWS: Final = 500


class NotRegistered(Refused):
    """The person has no seat at the event (400)."""

    code = "validation_error"
    sentence = "This person is not registered for the event."


@transaction.atomic
def mark_attendance(event_id: int, *, by: User, user_id: int, attended: bool) -> EventRegistration:
    """Write down whether somebody came, and return their registration; the first moment stays.

    Raises NotRegistered (400), and what ``hold_event`` raises. Holds who acts, then the event.
    """
    event, by = hold_event(event_id, by=by)
    row = event.registrations.select_related("user").filter(user=user_id).first()
    if row is None:
        raise NotRegistered(field="userId")
    if attended != (row.attended_at is not None):
        row.attended_at = timezone.now() if attended else None
        row.save(update_fields=["attended_at"])
        changes = {"user": user_id, "attended": attended}
        audit.record("attendance_marked", actor=by, target=event, changes=changes)
    return row


def export_roster(event: Event, *, by: User) -> Iterator[str]:
    """Record an export, then return the roster's CSV, read by a server-side cursor as it is sent."""
    rows = event.registrations.select_related("user")
    audit.record("roster_exported", actor=by, target=event, changes={"rows": rows.count()})
    return csv_text(HEADER, (cells_of(row) for row in rows.iterator(chunk_size=FETCH_ROWS)))


def cells_of(row: EventRegistration) -> list[Any]:
    moments = [f"{moment:{MOMENT}}" if moment else "" for moment in (row.registered_at, row.attended_at)]
    return [row.user_id, row.user.name, row.user.email, row.user.role, row.user.track, *moments]
