"""What a person's own data tells of events."""

from __future__ import annotations

from typing import Any

from events.personal import documents_of, may_open_cover, named_files
from events.services.feeds import renew_feed
from events.tests.cases import EventCase, call, url
from events.tests.factories import make_event, queue, seat


class OwnDataTests(EventCase):
    def rows(self) -> list[dict[str, Any]]:
        documents: dict[str, Any] = dict(documents_of(self.ada))
        self.assertEqual(set(documents), {"registrations", "calendarFeed"})
        rows: list[dict[str, Any]] = documents["registrations"]
        return rows

    def test_it_tells_of_seats_and_of_places_in_the_queue(self) -> None:
        mine, queued = make_event(title="Mine"), make_event(title="Queued")
        seat(mine, self.ada, self.bob)
        queue(queued, self.bob, self.ada)
        call(self.admin, "put", url("attendance", mine.pk), {"userId": self.ada.pk, "attended": True})

        first, second = self.rows()

        self.assertEqual(
            {name: first[name] for name in ("eventId", "title", "date", "time", "location", "waitingSince")},
            {
                "eventId": mine.pk,
                "title": "Mine",
                "date": mine.date,
                "time": "18:00",
                "location": "Brisbane",
                "waitingSince": None,
            },
        )
        self.assertTrue(first["registeredAt"] and first["attendedAt"])
        self.assertEqual(
            (second["title"], second["registeredAt"], second["attendedAt"]), ("Queued", None, None)
        )
        self.assertTrue(second["waitingSince"])

    def test_it_tells_of_the_feed_and_not_where_it_is(self) -> None:
        self.assertEqual(dict(documents_of(self.ada))["calendarFeed"], {"createdAt": None})

        feed = renew_feed(by=self.ada)

        self.assertEqual(dict(documents_of(self.ada))["calendarFeed"], {"createdAt": feed.created_at})

    def test_covers_are_seen_by_all_who_see_events(self) -> None:
        self.assertTrue(may_open_cover(self.ada, "events/covers/a.png"))

    def test_covers_are_named_with_and_without_a_row_of_their_own(self) -> None:
        make_event(cover_image="events/covers/a.png")
        make_event()

        self.assertEqual(named_files(["events/covers/a.png", "events/covers/b.png"]), {"events/covers/a.png"})
