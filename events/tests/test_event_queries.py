"""What events cost: the same number of queries however much there is, each narrowed by an index."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from unittest import skipUnless

import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from core.testing import count_rows_anew, plan_of
from events.models import Event, EventRegistration
from events.tests.cases import url
from events.tests.factories import make_event, seat
from users.models import User
from users.tests.factories import make_admin, make_user

AUTHENTICATION: Final = 1


class QueryTests(TestCase):
    def setUp(self) -> None:
        cache.clear()
        self.admin, self.student = make_admin(), make_user()
        self.people = [make_user() for _ in range(5)]
        self.grow(1)

    def grow(self, count: int) -> None:
        """More events, each with people who sit and people who wait."""
        events = [make_event(capacity=3) for _ in range(count)]
        EventRegistration.objects.bulk_create(
            EventRegistration(event=event, user=person, waiting_since=None if number < 3 else timezone.now())
            for event in events
            for number, person in enumerate([*self.people, self.student])
        )

    def ask(self, who: User, path: str, **query: Any) -> tuple[int, Any]:
        client = signed_in_client(who)
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path, query)
        self.assertEqual(response.status_code, 200, response.content)
        return len(queries), response.json()

    def test_a_page_costs_the_same_for_1_and_for_100_events(self) -> None:
        """B81: 7 to 20 events were 16 to 42 queries."""
        for size in (1, 100):
            for who in (self.admin, self.student):
                for query in ({}, {"upcoming": "true", "type": "in-person", "search": "symp"}):
                    with self.subTest(who.role, size=size, query=query):
                        count, body = self.ask(who, url("list"), **query)
                        self.assertEqual((count, len(body["results"])), (AUTHENTICATION + 1, size))
                        self.assertEqual(body["results"][0]["registrationCount"], 3)
            self.grow(100 - size)

    def test_one_page_of_several_is_counted_too(self) -> None:
        self.grow(4)
        for page, results, queries in ((1, 2, 1), (2, 2, 2), (3, 1, 2), ("last", 1, 2)):
            count, body = self.ask(self.student, url("list"), page=page, page_size=2, upcoming="true")
            self.assertEqual(
                (count, body["count"], len(body["results"])), (AUTHENTICATION + queries, 5, results)
            )

    def test_a_document_is_one_query(self) -> None:
        pk = Event.objects.get().pk

        self.assertEqual(self.ask(self.student, url("detail", pk))[0], AUTHENTICATION + 1)

    def test_a_roster_costs_the_same_for_1_and_for_100_people(self) -> None:
        event = make_event()
        seat(event, self.student)
        people = User.objects.bulk_create(
            User(email=f"many{n}@example.org", username=f"many{n}") for n in range(99)
        )
        for size in (1, 100):
            count, body = self.ask(self.admin, url("roster", event.pk))
            self.assertEqual((count, len(body["results"])), (AUTHENTICATION + 2, size))
            if size == 1:
                seat(event, *people)

    def test_a_seat_costs_the_same_for_1_and_for_100_people(self) -> None:
        event = make_event(capacity=200)
        people = User.objects.bulk_create(
            User(email=f"many{n}@example.org", username=f"many{n}") for n in range(100)
        )
        counts = []
        for _ in range(2):
            client = signed_in_client(make_user())
            with CaptureQueriesContext(connection) as queries:
                self.assertEqual(client.post(url("register", event.pk)).status_code, 201)
            counts.append(len(queries))
            seat(event, *people[len(counts) :: 2])

        self.assertEqual(counts[0], counts[1])


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "The plans are PostgreSQL's.")
class PlanTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        days = (date(2020, 1, 1) + timedelta(days=n % 4000) for n in range(20_000))
        Event.objects.bulk_create(
            Event(title=f"Evening {n}", date=day, time="18:00", location=f"Hall {n}", type=Event.Type.VIRTUAL)
            for n, day in enumerate(days)
        )
        # As a vacuum does: what was just written is read through, however good the index.
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('event_by_search')")
        count_rows_anew(Event, EventRegistration)

    def test_searches_and_ends_are_found_by_their_indexes(self) -> None:
        with time_machine.travel(datetime(2030, 12, 1, tzinfo=UTC)):
            ahead = Event.objects.upcoming()
        for rows, index in (
            (Event.objects.matching("hall 19999"), "event_by_search"),
            (ahead, "event_by_end"),
            (Event.objects.filter(type=Event.Type.IN_PERSON), "event_by_type"),
        ):
            with self.subTest(index):
                self.assertIn(index, plan_of(sql_of(rows)))


def sql_of(rows: Any) -> str:
    """Return the statement of a queryset, its values written out."""
    statement, values = rows.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        return str(cursor.mogrify(statement, values).decode())
