"""Events by spreadsheet at the admin site (D34): the API's rules, records and mails, all rows or none."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from core.models import AuditEvent, Notice
from core.tests.proving import make_stale
from events.models import Event
from events.tests.cases import EventCase, seated, waiting
from events.tests.factories import make_event, queue, seat
from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Sequence

CSV, XLSX = "0", "1"
HEADER = "title,description,date,time,timezone,location,type"
ROW = "Symposium,Posters,2031-05-06,18:00,UTC,Brisbane,in-person"


def page(name: str, *args: object) -> str:
    return reverse(f"admin:events_event_{name}", args=args)


def workbook(*rows: Sequence[Any]) -> bytes:
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class SheetCase(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.boss = make_admin(is_staff=True)
        self.client.force_login(self.boss)

    def preview(self, content: str | bytes, kind: str = CSV) -> Any:
        data = content.encode() if isinstance(content, str) else content
        file = SimpleUploadedFile("events.csv" if kind == CSV else "events.xlsx", data)
        sent = {"import_file": file, "format": kind, "resource": "0"}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(page("import"), sent)

    def confirm(self, previewed: Any) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            sent = previewed.context["confirm_form"].initial
            return self.client.post(page("process_import"), sent, follow=True)

    def imported(self, content: str | bytes, kind: str = CSV) -> Any:
        return self.confirm(self.preview(content, kind))

    def reasons(self, response: Any) -> list[dict[str, list[str]]]:
        """Return what a preview says is wrong, row by row."""
        self.assertNotIn("confirm_form", response.context)
        return [row.error_dict for row in response.context["result"].invalid_rows]

    def recorded(self) -> list[str]:
        return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


class ImportTests(SheetCase):
    def test_a_preview_shows_what_would_be_and_writes_nothing(self) -> None:
        response = self.preview(f"{HEADER}\n{ROW}\n")

        self.assertContains(response, "Symposium")
        self.assertContains(response, "Confirm import")
        self.assertEqual((Event.objects.count(), self.recorded(), Notice.objects.count()), (0, [], 0))

    def test_confirmed_rows_are_made_as_over_the_api(self) -> None:
        response = self.imported(f"{HEADER}\n{ROW}\nZweites — 日本,,2031-05-07,9:00,UTC,Online,virtual\n")

        self.assertContains(response, "Import finished: 2 new")
        self.assertEqual([event.title for event in Event.objects.all()], ["Symposium", "Zweites — 日本"])
        self.assertEqual(self.recorded(), ["event_created"] * 2)
        self.assertEqual({event.actor_id for event in AuditEvent.objects.all()}, {self.boss.pk})

    def test_a_row_with_an_id_changes_that_event_and_seats_go_to_who_waits(self) -> None:
        event = make_event(title="Old", capacity=1)
        seat(event, self.ada)
        queue(event, self.bob)

        previewed = self.preview(f"id,title,capacity\n{event.pk},New,2\n")
        self.assertEqual((len(waiting(event)), Notice.objects.count()), (1, 0))
        self.confirm(previewed)

        event.refresh_from_db()
        self.assertEqual((event.title, event.capacity), ("New", 2))
        self.assertEqual(len(seated(event)), 2)
        self.assertIn("event_changed", self.recorded())
        self.assertGreater(Notice.objects.count(), 0)

    def test_rows_that_are_wrong_say_why_and_nothing_is_written(self) -> None:
        make_event()
        wrong = [
            ",No place,2031-05-06,18:00,,,in-person,,",
            ",No such type,2031-05-06,18:00,,Lab,party,,",
            ",No day,,,,Lab,virtual,,",
            ",End before start,,,UTC,Lab,virtual,2031-05-06T18:00Z,2031-05-06T17:00Z",
            ",No zone,,,Mars/Olympus,Lab,virtual,2031-05-06T18:00,",
            "987654,Nobody,2031-05-06,18:00,,Lab,virtual,,",
            "x,Nobody,2031-05-06,18:00,,Lab,virtual,,",
            f",{'x' * 300},2031-05-06,18:00,,Lab,virtual,,",
        ]
        good = ",Fine,2031-05-06,18:00,,Lab,virtual,,"
        header = "id,title,date,time,timezone,location,type,start_at,end_at"
        response = self.preview("\n".join([header, good, *wrong]))

        columns = [sorted(row) for row in self.reasons(response)]
        expected = [["location"], ["type"], ["date", "time"], ["end_at"], ["start_at", "timezone"]]
        self.assertEqual(columns[:4], expected[:4])
        self.assertIn("timezone", columns[4])
        self.assertEqual(columns[5:], [["id"], ["id"], ["title"]])
        self.assertContains(response, "The end must be after the start.")
        self.assertEqual((Event.objects.count(), self.recorded()), (1, []))

    def test_what_became_wrong_after_the_preview_takes_all_rows_back(self) -> None:
        event = make_event()
        previewed = self.preview(
            f"id,title,date,time,location,type\n,Fine,2031-05-06,9,Lab,virtual\n{event.pk},A,,,,\n"
        )
        # A blank cell empties a column, and a place must be somewhere.
        self.assertEqual(len(self.reasons(previewed)), 1)

        previewed = self.preview(
            f"id,title,date,time,location,type\n,Fine,2031-05-06,9,Lab,virtual\n{event.pk},A,,,Lab,virtual\n"
        )
        event.delete()
        self.assertContains(self.confirm(previewed), "Nothing was written")
        self.assertFalse(Event.objects.exists())

    @override_settings(PROGRAMME_TIME_ZONE="Australia/Sydney")
    def test_a_time_without_an_offset_is_of_the_events_own_zone(self) -> None:
        self.imported(
            "title,start at,Time-Zone,location,type\n"
            "Own,2031-01-06 18:00,Europe/Berlin,Lab,virtual\n"
            "Programme,2031-01-06T18:00,,Lab,virtual\n"
            "Told,2031-01-06T18:00+05:30,UTC,Lab,virtual\n"
        )

        starts = {event.title: event.start_at for event in Event.objects.all()}
        self.assertEqual(
            starts,
            {
                "Own": datetime(2031, 1, 6, 17, tzinfo=UTC),
                "Programme": datetime(2031, 1, 6, 7, tzinfo=UTC),
                "Told": datetime(2031, 1, 6, 12, 30, tzinfo=UTC),
            },
        )
        self.assertEqual(Event.objects.get(title="Programme").timezone, "Australia/Sydney")

    def test_a_workbook_is_read_with_its_days_and_numbers(self) -> None:
        header = ["Title", "Date", "Time", "Location", "Type", "Capacity"]
        row = ["Symposium", date(2031, 5, 6), time(18, 30), "Lab", "virtual", 30.0]

        self.imported(workbook(header, row), XLSX)

        event = Event.objects.get()
        self.assertEqual((event.date, event.time, event.capacity), (date(2031, 5, 6), "18:30", 30))


class ExportTests(SheetCase):
    def export(self, kind: str = CSV, query: str = "") -> Any:
        return self.client.post(page("export") + query, {"format": kind, "resource": "0"})

    def test_a_table_comes_back_as_it_went_and_no_cell_runs(self) -> None:
        start = datetime(2031, 1, 6, 7, tzinfo=UTC)
        event = make_event(title="=cmd|'/c calc'!A1", start_at=start, timezone="Australia/Sydney")
        event.follow_start(told=())
        event.save()

        response = self.export()

        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        self.assertEqual(rows[0]["title"], "'=cmd|'/c calc'!A1")
        self.assertEqual(rows[0]["start_at"], "2031-01-06T18:00:00+11:00")
        self.assertEqual(self.recorded(), ["events_exported"])
        self.imported(response.content)
        before = (event.title, event.start_at, event.sequence)
        event.refresh_from_db()
        self.assertEqual((event.title, event.start_at, event.sequence), before)
        self.assertEqual(self.recorded(), ["events_exported"])

    def test_a_workbook_holds_texts(self) -> None:
        make_event(title="=1+1")

        book = load_workbook(io.BytesIO(self.export(XLSX).content))

        cell: Any = book.worksheets[0]["B2"]
        self.assertEqual((cell.value, cell.data_type), ("'=1+1", "s"))

    def test_it_holds_what_the_list_shows(self) -> None:
        make_event(title="Online", type="virtual")
        make_event(title="Here", type="in-person")

        shown = self.export(query="?type__exact=virtual").content.decode()

        self.assertIn("Online", shown)
        self.assertNotIn("Here", shown)

    def test_tables_and_rosters_stand_behind_a_fresh_proof(self) -> None:
        event = make_event()
        seat(event, self.ada)
        roster = page("download_roster", event.pk)

        text = b"".join(self.client.get(roster).streaming_content).decode()  # type: ignore[attr-defined]
        self.assertIn(self.ada.email, text)
        self.assertEqual(self.recorded()[-1], "roster_exported")
        make_stale(self.client)
        answers: list[Any] = [self.client.get(roster), self.export()]
        for response in answers:
            self.assertEqual(response.status_code, 302)
            self.assertTrue(response.url.startswith(reverse("admin:confirm")))
        self.assertEqual(len(self.recorded()), 1)

    def test_exports_have_the_budget_of_the_api(self) -> None:
        with override_settings(EXPORTS_PER_USER="1/1h"):
            self.assertEqual(self.export().status_code, 200)
            self.assertEqual(self.export().status_code, 302)

        self.assertEqual(self.recorded(), ["events_exported"])
