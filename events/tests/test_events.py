"""``GET /api/events/`` and ``/api/events/{id}/``: what one reads of events."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.test import override_settings
from django.utils import timezone

from events.models import Event
from events.tests.cases import EventCase, call, url
from events.tests.factories import make_event, queue, seat

if TYPE_CHECKING:
    from users.models import User


class ReadTests(EventCase):
    def rows(self, who: User | None = None, **query: Any) -> list[Any]:
        response = call(who or self.ada, "get", url("list"), query)
        self.assertEqual(response.status_code, 200, response.content)
        rows: list[Any] = response.json()["results"]
        return rows

    def titles(self, **query: Any) -> list[str]:
        return [row["title"] for row in self.rows(**query)]

    def test_the_list_has_whole_documents(self) -> None:
        event = make_event(capacity=3, long_description="Long", register_link="https://x.example/")
        seat(event, self.ada, self.bob)

        (row,) = self.rows()

        self.assertEqual(row, self.document(self.ada, event))
        self.assertEqual(
            {name: row[name] for name in row if name not in {"createdAt", "updatedAt"}},
            {
                "id": event.pk,
                "title": "Symposium",
                "description": "",
                "longDescription": "Long",
                "date": "2031-05-06",
                "time": "18:00",
                "startAt": None,
                "endAt": None,
                "timezone": "UTC",
                "location": "Brisbane",
                "type": "in-person",
                "coverImage": None,
                "registerLink": "https://x.example/",
                "capacity": 3,
                "isRegistered": True,
                "registrationCount": 2,
                "isWaitlisted": False,
                "waitlistCount": 0,
                "spotsLeft": 1,
            },
        )

    def test_only_seats_count_as_registrations(self) -> None:
        """D22."""
        event = make_event(capacity=1)
        seat(event, self.ada)
        queue(event, self.bob, self.cleo)

        told = self.document(self.bob, event)

        self.assertEqual((told["isRegistered"], told["registrationCount"]), (False, 1))
        self.assertEqual((told["isWaitlisted"], told["waitlistCount"], told["spotsLeft"]), (True, 2, 0))
        self.assertIsNone(self.document(self.bob, make_event())["spotsLeft"])

    def test_with_more_people_than_seats_none_is_left(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada, self.bob)

        self.assertEqual(self.document(self.ada, event)["spotsLeft"], 0)

    def test_events_come_by_day_then_time_then_age(self) -> None:
        make_event(title="d", date=date(2031, 5, 7), time="08:00")
        for title in ("b", "c"):
            make_event(title=title, time="18:00")
        make_event(title="a", time="09:00")

        self.assertEqual(self.titles(), ["a", "b", "c", "d"])

    def test_upcoming_is_said_in_three_ways_and_anything_else_narrows_nothing(self) -> None:
        today = timezone.localdate()
        make_event(title="today", date=today)
        make_event(title="past", date=today - timedelta(days=1))

        for word in ("true", "True", "1"):
            self.assertEqual(self.titles(upcoming=word), ["today"])
        for word in ("false", "0", "yes", "TRUE", ""):
            self.assertEqual(self.titles(upcoming=word), ["past", "today"])

    def test_types_narrow_and_an_unknown_one_is_refused(self) -> None:
        make_event(title="here")
        make_event(title="there", type=Event.Type.VIRTUAL)

        self.assertEqual(self.titles(type="virtual"), ["there"])
        self.assertEqual(self.titles(type=""), ["here", "there"])
        self.assert_refused(call(self.ada, "get", url("list"), {"type": "Virtual"}), 400, "type")

    def test_search_finds_a_part_of_title_description_or_location_as_it_stands(self) -> None:
        make_event(title="Bühne FREI", description="100% fun", location="Perth")
        make_event(title="Lab", long_description="Bühne", location="Hobart")

        for text in ("bühne", "0% f", "PERTH", " frei "):
            with self.subTest(text):
                self.assertEqual(self.titles(search=text), ["Bühne FREI"])
        for text in ("fr%", "frei 100", "nothing"):
            self.assertEqual(self.titles(search=text), [])
        self.assertEqual(len(self.titles(search=" ")), 2)

    def test_silly_searches_are_refused(self) -> None:
        for text in ("\x00", "x" * 201):
            self.assert_refused(call(self.ada, "get", url("list"), {"search": text}), 400, "search")

    def test_a_page_has_a_hundred_rows(self) -> None:
        """D9."""
        for _ in range(101):
            make_event()

        self.assertEqual((len(self.rows()), len(self.rows(page=2)), len(self.rows(page_size=7))), (100, 1, 7))
        with override_settings(CONTENT_PAGE_SIZE=5):
            self.assertEqual(len(self.rows()), 5)

    def test_what_is_not_there_is_404(self) -> None:
        for path in (url("detail", 2**62), "/api/events/x/", f"/api/events/{2**64}/", "/api/events/0/"):
            self.assert_refused(call(self.ada, "get", path), 404)
        self.assert_refused(call(self.ada, "get", url("list"), {"page": 2}), 404)
