"""The start page of the admin site: the programme's numbers, its weeks, and what each costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

from django.core.cache import caches
from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from btf_backend.console.charts import OUTCOMES, charts
from btf_backend.console.trends import mail_states, weekly_trends
from btf_backend.tests.test_admin_site import MAKERS
from core.models import Delivery
from core.testing import context_of
from groups.tests.factories import make_group
from groups.tests.test_stats import EVERYBODY
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user

DASHBOARD: Final = reverse("admin:index")
MOST_QUERIES: Final = 25
NOW: Final = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)  # a Wednesday
MONDAY: Final = datetime(2026, 11, 23, tzinfo=UTC)


class DashboardCase(TestCase):
    def setUp(self) -> None:
        caches["local"].clear()
        self.client.force_login(make_superuser(first_name="Lise"))

    def page(self) -> Any:
        page = self.client.get(DASHBOARD)
        self.assertEqual(page.status_code, 200)
        return page


class NumbersTests(DashboardCase):
    def setUp(self) -> None:
        super().setUp()
        for role, status, track in EVERYBODY:
            make_user(role=role, status=status, track=track)
        for status in ("active", "ACTIVE", "archived", "active "):
            make_group(status=status)

    def numbers(self) -> dict[str, Any]:
        cards = context_of(self.client, DASHBOARD)["cards"]
        return {number.label: number for card in cards for number in (card.number, *card.parts)}

    def test_they_are_those_of_the_api(self) -> None:
        stats = signed_in_client(make_admin()).get(reverse("admin_panel:stats")).json()

        cards = {card.number.label: card for card in context_of(self.client, DASHBOARD)["cards"]}

        def said(label: str) -> dict[str, int]:
            card = cards[label]
            return {"total": card.number.value} | {part.label: part.value for part in card.parts}

        self.assertEqual(said("People"), {"total": stats["totalUsers"]})
        self.assertEqual(said("Active groups"), {"total": stats["activeGroups"]})
        self.assertEqual(said("Mentors"), stats["mentors"])
        self.assertEqual(said("Students"), stats["students"])

    def test_each_opens_a_list_of_as_many_rows(self) -> None:
        for card in context_of(self.client, DASHBOARD)["cards"]:
            for number in (card.number, *card.parts):
                with self.subTest(card.number.label, part=number.label):
                    shown = context_of(self.client, number.url)["cl"].result_count
                    self.assertEqual(shown, number.value)
                    self.assertGreater(shown, 0)

    def test_big_ones_are_written_as_people_read_them(self) -> None:
        User.objects.bulk_create(
            User(username=f"x{n}", email=f"x{n}@example.org", status="active") for n in range(1_234)
        )

        total = self.numbers()["People"].value

        self.assertGreater(total, 1_234)
        self.assertContains(self.page(), f"<b>{total:,}</b> People")


@patch("btf_backend.console.trends.timezone.now", lambda: NOW)
class WeeksTests(DashboardCase):
    """The clock of the weeks stands still."""

    def delivery(self, state: str, at: datetime) -> Delivery:
        row = MAKERS[Delivery](0)
        Delivery.objects.filter(pk=row.pk).update(state=state, created_at=at)
        return Delivery.objects.get(pk=row.pk)

    def test_mails_are_counted_by_the_week_in_which_they_were_written(self) -> None:
        moment = timedelta(microseconds=1)
        for state, at in (
            ("failed", MONDAY - timedelta(weeks=1) - moment),
            ("sent", MONDAY - timedelta(weeks=1)),
            ("sent", MONDAY - moment),
            ("failed", MONDAY),
            ("sent", MONDAY + timedelta(weeks=1)),
        ):
            self.delivery(state, at)

        weeks = [
            {name: value for name, value in week.items() if value} | {"week": str(week["week"])}
            for week in mail_states(weeks=2)
        ]

        self.assertEqual(weeks, [{"week": "2026-11-16", "sent": 2}, {"week": "2026-11-23", "failed": 1}])

    def test_a_chart_draws_the_numbers_of_the_weeks_and_its_table_says_the_same(self) -> None:
        make_user(date_joined=NOW)
        make_user(date_joined=NOW - timedelta(weeks=3))
        trends = {row["week"]: row["new_users"] for row in weekly_trends(weeks=12)}

        (chart,) = (chart for chart in charts() if chart.name == "people")
        drawn = json.loads(chart.data)

        self.assertEqual(drawn["datasets"][0]["data"], list(trends.values()))
        self.assertEqual(drawn["labels"], [f"{week:%-d %b}" for week in trends])
        self.assertEqual(
            dict(chart.rows),
            {label: [number] for label, number in zip(drawn["labels"], trends.values(), strict=True)},
        )
        self.assertContains(self.page(), '<th scope="row">23 Nov</th>')

    def test_every_state_of_mail_that_was_to_go_is_in_one_series(self) -> None:
        states = [state for _, _, states in OUTCOMES for state in states]

        left_out = set(Delivery.State) - set(states)

        self.assertEqual(left_out, {Delivery.State.NONE, Delivery.State.DROPPED})
        self.assertEqual(len(states), len(set(states)))


class PageTests(DashboardCase):
    def test_a_programme_without_anybody_is_told_how_to_begin(self) -> None:
        User.objects.update(date_joined=NOW - timedelta(days=400))

        page = self.page()

        self.assertContains(page, "Nobody is here yet")
        self.assertContains(page, reverse("admin:users_user_add"))
        self.assertContains(page, "Nothing waits.")
        for words in ("Nobody has joined", "Nobody has registered", "No mail was written"):
            self.assertContains(page, words)
        self.assertNotContains(page, "<canvas")

    def test_once_people_are_there_nothing_of_beginning_is_said(self) -> None:
        make_user(status="active")

        self.assertNotContains(self.page(), "Nobody is here yet")

    @override_settings(PROGRAMME_TIME_ZONE="Australia/Sydney")
    def test_the_time_is_the_programmes_and_its_zone_is_named(self) -> None:
        with patch("btf_backend.console.dashboard.timezone.now", lambda: NOW):
            page = self.page()

        self.assertContains(page, "Thursday, 26 November 2026, 08:00</time> (Australia/Sydney)")

    def test_names_are_only_ever_text(self) -> None:
        with override_settings(PROGRAMME_NAME="<b>Bold</b>"):
            self.assertContains(self.page(), "&lt;b&gt;Bold&lt;/b&gt;")

    def test_its_queries_are_few_whatever_there_is(self) -> None:
        with CaptureQueriesContext(connection) as empty:
            self.page()
        for make in MAKERS.values():
            for n in range(3):
                make(n)
        with CaptureQueriesContext(connection) as full:
            self.page()

        self.assertLessEqual(len(full), MOST_QUERIES)
        self.assertEqual(len(full), len(empty))
