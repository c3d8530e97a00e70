"""The reference's defects with events (CONTRACT 19.5): one named test for each, here or in a file beside."""

from __future__ import annotations

from datetime import date
from typing import Any

from events.models import Event
from events.tests.cases import NEW, EventCase, call, url
from events.tests.factories import make_event, seat
from users.tests.factories import make_user


class DefectTests(EventCase):
    def create(self, **body: Any) -> Any:
        return call(self.admin, "post", url("list"), {**NEW, **body})

    def test_there_are_no_more_people_than_seats_and_none_comes_afterwards(self) -> None:
        """B80: seven registered for three seats, and for an event that was over."""
        event = make_event(capacity=3)

        statuses = [self.register(make_user(), event).status_code for _ in range(7)]

        self.assertEqual((statuses, event.registrations.count()), ([201] * 3 + [409] * 4, 3))
        over = make_event(date=date(2020, 1, 1))
        self.assert_no_seat(self.register(self.ada, over), 400, "event_over")

    def test_capacities_and_links_that_are_none_are_refused(self) -> None:
        """B82."""
        for capacity in (0, -5):
            self.assert_refused(self.create(capacity=capacity), 400, "capacity")
        for link in ("ftp://x.example/", "https://x.example/" + "x" * 200, "javascript:alert(1)", "x", 5):
            self.assert_refused(self.create(registerLink=link), 400, "registerLink")

        link = "https://x.example/" + "x" * 182
        self.assertEqual(self.create(registerLink=link).json()["registerLink"], link)
        for blank in ("", None):
            self.assertEqual(self.create(registerLink=blank).json()["registerLink"], "")

    def test_places_are_searched_and_filters_narrow_the_list_alone(self) -> None:
        """B83."""
        event = make_event(location="Hobart", date=date(2020, 1, 1))

        self.assertEqual(call(self.ada, "get", url("list"), {"search": "hobart"}).json()["count"], 1)
        for query in ("?upcoming=true", "?type=virtual", "?type=nonsense", "?search=nothing"):
            with self.subTest(query):
                path = url("detail", event.pk) + query
                self.assertEqual(call(self.ada, "get", path).status_code, 200)
                self.assertEqual(call(self.admin, "patch", path, {"title": "x"}).status_code, 200)
                other = make_event()
                path = url("register", other.pk) + query
                self.assertEqual(call(self.ada, "post", path).status_code, 201)
                self.assertEqual(call(self.admin, "delete", url("detail", other.pk) + query).status_code, 204)

    def test_no_link_becomes_a_cover(self) -> None:
        """B91: such a link broke out of the web client's ``url('...')``."""
        for link in ("https://x.example/a'b)c.png", "https://x.example/a.png", None, 5):
            response = self.create(coverImage=link)
            self.assertEqual((response.status_code, response.json()["coverImage"]), (201, None))
        self.assertFalse(Event.objects.exclude(cover_image=None).exists())

    def test_a_list_has_everything_that_the_web_client_reads(self) -> None:
        """B92."""
        event = make_event(long_description="Long", description="Short", register_link="https://x.example/")
        seat(event, self.ada)

        (row,) = call(self.ada, "get", url("list")).json()["results"]

        self.assertEqual(row, self.document(self.ada, event))
        self.assertLessEqual(
            {*NEW, "id", "coverImage", "createdAt", "updatedAt", "isRegistered", "registrationCount"},
            set(row),
        )
