"""Who comes, as admins keep it: roster, waiting list, attendance, CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent
from events.tests.cases import EventCase, call, url
from events.tests.factories import make_event, queue, seat
from users.tests.factories import make_superuser, make_user


class RosterCase(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.event = make_event(capacity=2)
        seat(self.event, self.bob, self.ada)
        queue(self.event, self.cleo)
        seat(make_event(), self.dan)

    def rows(self, name: str, **query: Any) -> Any:
        response = call(self.admin, "get", url(name, self.event.pk), query)
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def mark(self, who: Any = None, **body: Any) -> Any:
        return call(who or self.admin, "put", url("attendance", self.event.pk), body)


class ReadTests(RosterCase):
    def test_the_roster_lists_seats_in_the_order_of_registering(self) -> None:
        page = self.rows("roster")

        self.assertEqual([row["userId"] for row in page["results"]], self.ids(self.bob, self.ada))
        self.assertEqual(
            {**page["results"][1], "registeredAt": None},
            {
                "userId": self.ada.pk,
                "name": "Ada Lovelace",
                "email": self.ada.email,
                "role": "student",
                "track": "",
                "registeredAt": None,
                "attendedAt": None,
            },
        )
        self.assertEqual((page["count"], len(self.rows("roster", page_size=1)["results"])), (2, 1))

    def test_the_waiting_list_is_apart(self) -> None:
        (row,) = self.rows("roster-waiting")["results"]

        self.assertEqual(row["userId"], self.cleo.pk)
        self.assertEqual(set(row), {"userId", "name", "email", "role", "track", "waitingSince"})

    def test_nobody_but_admins_learns_who_comes(self) -> None:
        for who in (self.ada, make_user(role="supervisor"), make_user(is_staff=True)):
            for name in ("roster", "roster-waiting", "roster-export"):
                for pk in (self.event.pk, 2**62):
                    self.assert_refused(call(who, "get", url(name, pk)), 403)
            self.assert_refused(self.mark(who, userId=self.ada.pk, attended=True), 403)
        self.assertEqual(call(make_superuser(), "get", url("roster", self.event.pk)).status_code, 200)

    def test_what_participants_read_names_nobody(self) -> None:
        told = [call(self.dan, "get", url(*name)).content for name in (("list",), ("detail", self.event.pk))]
        told.append(call(self.dan, "get", url("calendar", self.event.pk)).content)
        for text in told:
            for word in (self.ada.email, "Lovelace", self.cleo.email):
                self.assertNotIn(word.encode(), text)

    def test_an_event_that_is_not_there_is_404(self) -> None:
        for name in ("roster", "roster-waiting", "roster-export"):
            self.assert_refused(call(self.admin, "get", url(name, 2**62)), 404)
        self.assert_refused(call(self.admin, "put", url("attendance", 2**62), {}), 404)


class AttendanceTests(RosterCase):
    def test_the_first_moment_stays_until_it_is_taken_back(self) -> None:
        first = self.mark(userId=self.ada.pk, attended=True)
        self.assertEqual(first.status_code, 200, first.content)
        self.assertEqual(first.json()["userId"], self.ada.pk)
        self.assertTrue(first.json()["attendedAt"])

        self.assertEqual(self.mark(userId=self.ada.pk, attended=True).json(), first.json())
        self.assertEqual(self.rows("roster")["results"][1], first.json())
        self.assertIsNone(self.mark(userId=self.ada.pk, attended=False).json()["attendedAt"])
        marks = AuditEvent.objects.filter(action="attendance_marked").order_by("pk")
        self.assertEqual(
            [row.changes for row in marks],
            [{"user": self.ada.pk, "attended": True}, {"user": self.ada.pk, "attended": False}],
        )

    def test_who_has_no_seat_has_not_come(self) -> None:
        for pk in (self.cleo.pk, self.dan.pk, 2**62):
            self.assert_refused(self.mark(userId=pk, attended=True), 400, "userId")

    def test_silly_bodies_are_refused(self) -> None:
        good = {"userId": self.ada.pk, "attended": True}
        for field in good:
            for silly in (None, "x", [5], {"a": 5}):
                self.assert_refused(self.mark(**{**good, field: silly}), 400, field)
            body = {name: value for name, value in good.items() if name != field}
            self.assert_refused(self.mark(**body), 400, field)
        for value in (0, -1, 2**63):
            self.assert_refused(self.mark(userId=value, attended=True), 400, "userId")


class ExportTests(RosterCase):
    def export(self) -> Any:
        client = signed_in_client(self.admin)
        return client.get(url("roster-export", self.event.pk), headers={"Accept": "text/csv"})

    def test_it_is_a_table_that_no_spreadsheet_runs(self) -> None:
        self.ada.first_name, self.ada.track = "=HYPERLINK(1)", "@x"
        self.ada.save()

        response = self.export()

        self.assertEqual(response.headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn(f"event-{self.event.pk}-roster.csv", response.headers["Content-Disposition"])
        rows = list(csv.reader(io.StringIO(response.getvalue().decode())))
        self.assertEqual(
            rows[0], ["User ID", "Name", "Email", "Role", "Track", "Registered At", "Attended At"]
        )
        self.assertEqual([row[0] for row in rows[1:]], [str(self.bob.pk), str(self.ada.pk)])
        self.assertEqual((rows[2][1], rows[2][4]), ("'=HYPERLINK(1) Lovelace", "'@x"))
        self.assertRegex(rows[2][5], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_it_is_streamed_and_recorded(self) -> None:
        self.assertTrue(self.export().streaming)

        event = AuditEvent.objects.get(action="roster_exported")
        self.assertEqual(
            (event.actor_id, event.object_id, event.changes), (self.admin.pk, str(self.event.pk), {"rows": 2})
        )
