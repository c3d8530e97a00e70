"""Days, moments and zones: when an event begins, and when it is over where it takes place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import time_machine

from events.models import Event
from events.tests.cases import NEW, EventCase, call, url
from events.tests.factories import make_event, queue, seat

SYDNEY, SAO_PAULO = "Australia/Sydney", "America/Sao_Paulo"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


class TimeCase(EventCase):
    def create(self, **body: Any) -> Any:
        sent = {name: value for name, value in {**NEW, **body}.items() if value != "-"}
        return call(self.admin, "post", url("list"), sent)

    def change(self, event: Event, **body: Any) -> Any:
        return call(self.admin, "patch", url("detail", event.pk), body)


class StartTests(TimeCase):
    def test_day_and_time_come_from_the_start_where_it_takes_place(self) -> None:
        """Sydney's clocks go back on the first Sunday of April, and forward on that of October."""
        for zone, start, day, time in (
            (SYDNEY, "2031-04-05T12:30:00Z", "2031-04-05", "23:30"),  # +11, on the eve
            (SYDNEY, "2031-04-05T16:30:00Z", "2031-04-06", "02:30"),  # +10, an hour that came twice
            (SYDNEY, "2031-10-04T15:59:00Z", "2031-10-05", "01:59"),
            (SYDNEY, "2031-10-04T16:00:00Z", "2031-10-05", "03:00"),  # 02:00 did not exist
            (SAO_PAULO, "2018-11-04T02:59:00Z", "2018-11-03", "23:59"),
            (SAO_PAULO, "2018-11-04T03:00:00Z", "2018-11-04", "01:00"),  # midnight did not exist
            (SAO_PAULO, "2031-11-04T02:00:00Z", "2031-11-03", "23:00"),  # and there is no summer time now
            ("UTC", "2031-04-05T23:30:00+10:00", "2031-04-05", "13:30"),
        ):
            with self.subTest(start):
                body = self.create(startAt=start, timezone=zone, date="-", time="-").json()
                self.assertEqual((body["date"], body["time"], body["timezone"]), (day, time, zone))

    def test_moments_are_told_in_utc(self) -> None:
        body = self.create(
            startAt="2031-05-06T18:00:00+10:00",
            endAt="2031-05-06T20:00:00.5+10:00",
            timezone="Australia/Brisbane",
            date="-",
            time="-",
        ).json()

        self.assertEqual(
            (body["startAt"], body["endAt"]), ("2031-05-06T08:00:00Z", "2031-05-06T10:00:00.500000Z")
        )

    def test_a_time_that_is_told_stays(self) -> None:
        body = self.create(startAt="2031-05-06T08:00:00Z", timezone=SYDNEY, time="From six").json()

        self.assertEqual((body["date"], body["time"]), ("2031-05-06", "From six"))

    def test_moments_that_contradict_each_other_or_the_day_are_refused(self) -> None:
        start = "2031-05-06T18:00:00Z"
        for field, body in (
            ("date", {"startAt": start, "date": "2031-05-07"}),
            ("date", {"startAt": start, "timezone": SYDNEY, "date": "2031-05-06"}),
            ("endAt", {"startAt": start, "endAt": start}),
            ("endAt", {"startAt": start, "endAt": "2031-05-06T18:00:00.9Z"}),
            ("endAt", {"startAt": start, "endAt": "2031-05-06T19:00:00+02:00"}),
            ("endAt", {"endAt": start}),
            ("startAt", {"startAt": "2031-05-06T18:00:00"}),
            ("startAt", {"startAt": "1969-12-31T00:00:00Z"}),
            ("startAt", {"startAt": "9999-12-31T23:00:00Z"}),
            ("startAt", {"startAt": "0001-01-01T00:00:00+14:00"}),
            ("startAt", {"startAt": "soon"}),
            ("endAt", {"startAt": start, "endAt": 5}),
        ):
            with self.subTest(body):
                self.assert_refused(self.create(**body), 400, field)

    def test_day_and_time_follow_a_start_that_moves(self) -> None:
        event = make_event(start_at=utc(2031, 5, 6, 8), timezone=SYDNEY)

        body = self.change(event, startAt="2031-05-06T14:30:00Z").json()
        self.assertEqual((body["date"], body["time"]), ("2031-05-07", "00:30"))
        body = self.change(event, timezone="UTC").json()
        self.assertEqual((body["date"], body["time"]), ("2031-05-06", "14:30"))
        body = self.change(event, startAt="2031-05-08T14:30:00Z", time="Noon or so").json()
        self.assertEqual((body["date"], body["time"]), ("2031-05-08", "Noon or so"))
        self.assert_refused(self.change(event, date="2031-05-09"), 400, "date")

    def test_a_start_can_be_taken_away(self) -> None:
        event = make_event(start_at=utc(2031, 5, 6, 8), end_at=utc(2031, 5, 6, 9))

        self.assert_refused(self.change(event, startAt=None), 400, "endAt")
        body = self.change(event, startAt=None, endAt=None).json()
        self.assertEqual((body["startAt"], body["date"], body["time"]), (None, "2031-05-06", "18:00"))


class OverTests(TimeCase):
    def is_over(self, event: Event, at: datetime) -> bool:
        """Ask everything that knows, at that moment."""
        with time_machine.travel(at, tick=False):
            listed = bool(call(self.ada, "get", url("list"), {"upcoming": "true"}).json()["count"])
            self.assertEqual(listed, not Event.objects.get(pk=event.pk).is_over)
            response = self.register(self.ada, event)
        self.assertEqual(response.status_code, 201 if listed else 400)
        event.registrations.all().delete()
        return not listed

    def check(self, event: Event, ends: datetime) -> None:
        for seconds, over in ((-1, False), (0, True)):
            moment = datetime.fromtimestamp(ends.timestamp() + seconds, UTC)
            self.assertEqual(self.is_over(event, moment), over, moment)

    def test_a_day_is_over_at_midnight_where_it_is(self) -> None:
        for zone, day, ends in (
            ("UTC", date(2031, 5, 6), utc(2031, 5, 7)),
            (SYDNEY, date(2031, 4, 5), utc(2031, 4, 5, 13)),  # +11
            (SYDNEY, date(2031, 4, 6), utc(2031, 4, 6, 14)),  # +10: that day had 25 hours
            (SYDNEY, date(2031, 10, 5), utc(2031, 10, 5, 13)),  # and that one 23
            (SAO_PAULO, date(2018, 11, 3), utc(2018, 11, 4, 3)),  # the next day began at one
            (SAO_PAULO, date(2031, 5, 6), utc(2031, 5, 7, 3)),
        ):
            with self.subTest(zone, day=day):
                event = make_event(date=day, timezone=zone)
                self.check(event, ends)
                event.delete()

    def test_with_an_end_it_is_over_at_its_end(self) -> None:
        start, end = utc(2031, 5, 6, 8), utc(2031, 5, 9, 9, 30)

        self.check(make_event(start_at=start, end_at=end, timezone=SYDNEY), end)

    def test_with_a_start_alone_it_is_over_with_that_day(self) -> None:
        event = make_event(start_at=utc(2031, 5, 6, 8), timezone=SYDNEY)

        self.check(event, utc(2031, 5, 6, 14))

    def test_it_is_worked_out_on_every_way_into_the_table(self) -> None:
        event = make_event()
        event.date = date(2031, 6, 1)
        event.save(update_fields=["date"])
        many = Event.objects.bulk_create([Event(title="x", date=date(2031, 7, 1), time="x", type="virtual")])

        self.assertEqual(Event.objects.get(pk=event.pk).over_at, utc(2031, 6, 2))
        self.assertEqual(Event.objects.get(pk=many[0].pk).over_at, utc(2031, 7, 2))

    def test_an_event_that_moves_ahead_gives_its_seats_out_again(self) -> None:
        event = make_event(date=date(2020, 1, 1), capacity=2)
        seat(event, self.ada)
        queue(event, self.bob)

        self.change(event, date="2031-05-06")

        self.assertEqual(event.registrations.count(), 2)
