"""The programme week by week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from btf_backend.console.trends import weekly_trends
from chat.models import Message
from chat.tests.factories import make_many
from core.models import AuditEvent
from core.testing import count_rows_anew, plan_of
from events.models import EventRegistration
from events.tests.factories import make_event
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_admin, make_user

URL = reverse("admin_panel:trends")
NOW = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def row(week: str, sign_ins: int = 0, new_users: int = 0, messages: int = 0, registrations: int = 0) -> Any:
    return {
        "week": week,
        "signIns": sign_ins,
        "newUsers": new_users,
        "messages": messages,
        "registrations": registrations,
    }


@patch("btf_backend.console.trends.timezone.now", lambda: NOW)
class WeeksTests(TestCase):
    """What counts, and in which week. The clock stands still."""

    def weeks(self, count: int) -> Any:
        weeks = weekly_trends(weeks=count)
        return [
            row(
                str(week["week"]),
                *(week[key] for key in ("sign_ins", "new_users", "messages", "registrations")),
            )
            for week in weeks
        ]

    def test_weeks_without_anything_are_there_oldest_first(self) -> None:
        self.assertEqual(self.weeks(3), [row("2026-11-09"), row("2026-11-16"), row("2026-11-23")])

    def test_a_week_runs_from_monday_to_sunday_in_utc(self) -> None:
        for at in (
            MONDAY - 7 * timedelta(days=1),
            MONDAY - MOMENT,
            MONDAY,
            MONDAY + timedelta(days=7) - MOMENT,
        ):
            AuditEvent.objects.create(action="signed_in", at=at)

        self.assertEqual(self.weeks(2), [row("2026-11-16", 2), row("2026-11-23", 2)])

    def test_what_is_earlier_or_later_counts_nowhere(self) -> None:
        for at in (MONDAY - 7 * timedelta(days=1) - MOMENT, MONDAY + timedelta(days=7)):
            AuditEvent.objects.create(action="signed_in", at=at)

        self.assertEqual(self.weeks(2), [row("2026-11-16"), row("2026-11-23")])

    def test_only_sign_ins_count_as_sign_ins(self) -> None:
        for action in ("signed_in", "signed_out", "user_changed"):
            AuditEvent.objects.create(action=action, at=NOW)

        self.assertEqual(self.weeks(1), [row("2026-11-23", 1)])

    def test_people_messages_and_registrations_count_by_their_own_moments(self) -> None:
        before = MONDAY - timedelta(days=3)
        ada, bob = make_user(date_joined=NOW), make_user(date_joined=before)
        group, event = make_group(members=[ada]), make_event()
        for at in (before, before + MOMENT, NOW):
            Message.objects.create(group=group, author=ada, text="x", created_at=at)
        event.registrations.create(user=ada, registered_at=NOW)
        event.registrations.create(user=bob, registered_at=NOW)

        self.assertEqual(self.weeks(2), [row("2026-11-16", 0, 1, 2), row("2026-11-23", 0, 1, 1, 2)])

    def test_weeks_go_on_over_the_turn_of_the_year(self) -> None:
        AuditEvent.objects.create(action="signed_in", at=datetime(2026, 1, 1, 12, tzinfo=UTC))

        weeks = {week["week"]: week["signIns"] for week in self.weeks(104)}
        self.assertEqual((len(weeks), min(weeks), max(weeks)), (104, "2024-12-02", "2026-11-23"))
        self.assertEqual(weeks["2025-12-29"], 1)


class TrendsTests(TestCase):
    client: APIClient

    def setUp(self) -> None:
        self.client = signed_in_client(make_admin())

    def test_twelve_weeks_unless_told_otherwise(self) -> None:
        for params, count in (({}, 12), ({"weeks": ""}, 12), ({"weeks": "1"}, 1), ({"weeks": "104"}, 104)):
            with self.subTest(params=params):
                weeks = self.client.get(URL, params).json()["weeks"]
                self.assertEqual(len(weeks), count)
                self.assertEqual((weeks[-1]["signIns"], weeks[-1]["newUsers"]), (1, 1))

    def test_nonsense_is_refused_by_name(self) -> None:
        for text in ("0", "105", "-1", "x", "1.5", "9" * 5_000, "\0"):
            with self.subTest(text[:10]):
                response = self.client.get(URL, {"weeks": text})
                self.assertEqual((response.status_code, list(response.json())[:1]), (400, ["weeks"]))

    def test_five_queries_however_much_went_on(self) -> None:
        AuditEvent.objects.bulk_create(AuditEvent(action="signed_in") for _ in range(500))

        for weeks in (1, 104):
            with self.subTest(weeks=weeks), self.assertNumQueries(5):
                self.client.get(URL, {"weeks": weeks})

    def test_it_is_for_platform_admins(self) -> None:
        for status, client in ((401, APIClient()), (403, signed_in_client(make_user(is_staff=True)))):
            with self.subTest(status):
                self.assertEqual(client.get(URL).status_code, status)


def fill_three_years() -> None:
    """Write rows of every kind, spread evenly: of empty tables any index is as good as another."""
    moments = [timezone.now() - timedelta(hours=9 * n) for n in range(3000)]
    people = [
        User(username=f"p{n}", email=f"p{n}@example.org", date_joined=at) for n, at in enumerate(moments)
    ]
    User.objects.bulk_create(people)
    AuditEvent.objects.bulk_create(
        AuditEvent(action=f"action{n % 20}", at=at) for n, at in enumerate(moments)
    )
    # More of these: their index tells ranges of the table apart, and no single rows.
    make_many(make_group(), count=30_000, since=moments[-1], apart=timedelta(hours=0.9))
    event = make_event()
    EventRegistration.objects.bulk_create(EventRegistration(event=event, user=person) for person in people)
    joined = User.objects.filter(pk=OuterRef("user")).values("date_joined")
    EventRegistration.objects.update(registered_at=Subquery(joined))


@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PlanTests(TestCase):
    INDEXES = ("audit_by_action", "user_by_date_joined", "message_by_moment", "registration_by_moment")

    def test_each_curve_has_an_index_to_go_by(self) -> None:
        fill_three_years()
        with CaptureQueriesContext(connection) as captured:
            weekly_trends(weeks=12)

        count_rows_anew(AuditEvent, User, Message, EventRegistration)
        for query, index in zip(captured.captured_queries, self.INDEXES, strict=True):
            with self.subTest(index):
                self.assertIn(index, plan_of(query["sql"]))
