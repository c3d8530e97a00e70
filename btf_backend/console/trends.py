"""How much went on, week by week. Weeks begin on Monday, 00:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count
from django.db.models.functions import TruncWeek
from django.utils import timezone

from chat.models import Message
from core.models import AuditEvent
from events.models import EventRegistration
from users.models import User

if TYPE_CHECKING:
    from datetime import date

    from django.db.models import QuerySet

WEEK: Final = timedelta(weeks=1)


def weekly_trends(*, weeks: int) -> list[dict[str, Any]]:
    """Count what happened in each of the last weeks, the running one last, in four queries."""
    first = monday(timezone.now().astimezone(UTC).date()) - (weeks - 1) * WEEK
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


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def per_week(rows: QuerySet[Any], moment: str, first: date, weeks: int) -> dict[date, int]:
    """Count rows by the Monday of their moment; a week without any is absent."""
    since = datetime.combine(first, time.min, UTC)
    within = rows.filter(**{f"{moment}__gte": since, f"{moment}__lt": since + weeks * WEEK})
    by_week = within.order_by().values(week=TruncWeek(moment, tzinfo=UTC)).annotate(count=Count("pk"))
    return {row["week"].date(): row["count"] for row in by_week}
