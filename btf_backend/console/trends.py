"""How much went on, week by week. Weeks begin on Monday, 00:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count
from django.db.models.functions import TruncWeek
from django.utils import timezone

from chat.models import Message
from core.models import AuditEvent, Delivery
from events.models import EventRegistration
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from django.db.models import QuerySet

WEEK: Final = timedelta(weeks=1)


def weekly_trends(*, weeks: int) -> list[dict[str, Any]]:
    """Count what happened in each of the last weeks, the running one last, in four queries."""
    first = first_of(weeks)
    counted = {
        "sign_ins": per_week(AuditEvent.objects.filter(action="signed_in"), "at", first, weeks),
        "new_users": per_week(User.objects.all(), "date_joined", first, weeks),
        "messages": per_week(Message.objects.all(), "created_at", first, weeks),
        "registrations": per_week(EventRegistration.objects.all(), "registered_at", first, weeks),
    }
    return [
        {"week": week, **{name: found.get(week, 0) for name, found in counted.items()}}
        for week in (first + number * WEEK for number in range(weeks))
    ]


def mail_states(*, weeks: int) -> list[dict[str, Any]]:
    """Count the mails of each of the last weeks by their state now, in one query. States are ``Delivery``'s.

    The week of a mail is that in which it was written, sent or not.
    """
    first = first_of(weeks)
    found = weekly(Delivery.objects.all(), "created_at", first, weeks, by=["state"])
    states = {(row["week"].date(), row["state"]): row["count"] for row in found}
    return [
        {"week": week, **{state: states.get((week, state), 0) for state in Delivery.State.values}}
        for week in (first + number * WEEK for number in range(weeks))
    ]


def first_of(weeks: int) -> date:
    """Return the Monday of the first of so many weeks, of which the running one is the last."""
    return monday(timezone.now().astimezone(UTC).date()) - (weeks - 1) * WEEK


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def per_week(rows: QuerySet[Any], moment: str, first: date, weeks: int) -> dict[date, int]:
    """Count rows by the Monday of their moment; a week without any is absent."""
    return {row["week"].date(): row["count"] for row in weekly(rows, moment, first, weeks)}


def weekly(rows: QuerySet[Any], moment: str, first: date, weeks: int, *, by: Sequence[str] = ()) -> Any:
    """Return the query that counts rows by week, and by some of their columns."""
    since = datetime.combine(first, time.min, UTC)
    within = rows.filter(**{f"{moment}__gte": since, f"{moment}__lt": since + weeks * WEEK})
    return within.order_by().values(*by, week=TruncWeek(moment, tzinfo=UTC)).annotate(count=Count("pk"))
