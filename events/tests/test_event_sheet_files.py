"""Files of events at the admin site: what is no table or too much, and what a preview holds meanwhile."""

from __future__ import annotations

import io
from typing import Final
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.admin.sheets import MOST_ROWS
from core.testing import undrawn
from events.models import Event
from events.tests.factories import make_event
from events.tests.test_event_sheets import CSV, HEADER, ROW, XLSX, SheetCase, page, workbook
from users.tests.factories import make_admin, make_user

WRITES: Final = f'UPDATE "{Event._meta.db_table}"'
PIECE_ROWS: Final = 4  # in place of 25: what is let go after four rows is let go after any number


class PieceTests(SheetCase):
    """A preview holds few rows at a time, and none that it leaves as they are."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch("core.admin.served.PIECE_ROWS", PIECE_ROWS))

    def table(self, title: str, *, events: int) -> str:
        made = [make_event(title="Old") for _ in range(events)]
        return "\n".join(["id,title", *(f"{event.pk},{title}" for event in made)])

    def test_what_a_preview_holds_is_let_go_every_few_rows(self) -> None:
        sent = self.table("New", events=2 * PIECE_ROWS + 1)
        with CaptureQueriesContext(connection) as captured:
            previewed = self.preview(sent)

        held, most = 0, 0
        for query in captured.captured_queries:
            sql = str(query["sql"])
            held = 0 if sql.startswith("ROLLBACK TO SAVEPOINT") else held + sql.startswith(WRITES)
            most = max(most, held)
        self.assertEqual((most, held), (PIECE_ROWS, 0))
        self.assertEqual(previewed.context["result"].totals["update"], 2 * PIECE_ROWS + 1)
        self.assertEqual(Event.objects.filter(title="New").count(), 0)

    def test_rows_that_are_wrong_keep_their_numbers(self) -> None:
        sent = self.table("New", events=PIECE_ROWS + 3) + "\n987654,Nobody"

        wrong = self.preview(sent).context["result"].invalid_rows

        self.assertEqual([row.number for row in wrong], [PIECE_ROWS + 4])

    def test_a_row_that_changes_nothing_is_skipped_and_holds_nobody(self) -> None:
        sent = self.table("Old", events=3)
        with CaptureQueriesContext(connection) as captured:
            previewed = self.preview(sent)
            confirmed = self.confirm(previewed)

        self.assertContains(previewed, "3 as they are")
        self.assertContains(confirmed, "3 skipped")
        self.assertFalse(any(WRITES in query["sql"] for query in captured.captured_queries))
        users = [query["sql"] for query in captured.captured_queries if "FOR NO KEY UPDATE" in query["sql"]]
        self.assertEqual(users, [])

    def test_a_preview_says_what_a_cell_was_and_runs_nothing_of_it(self) -> None:
        event = make_event(title="<b>Old</b>")

        previewed = self.preview(f"id,title\n{event.pk},<i>New</i>\n")

        shown = "<del>&lt;b&gt;Old&lt;/b&gt;</del> <ins>&lt;i&gt;New&lt;/i&gt;</ins>"
        self.assertContains(previewed, shown)


class FileTests(SheetCase):
    def refusal(self, content: str | bytes, kind: str = CSV) -> str:
        with undrawn():
            errors = self.preview(content, kind).context_data["form"].errors
        return " ".join(str(each) for told in errors.values() for each in told)

    def test_what_is_no_such_table_is_refused_with_a_sentence(self) -> None:
        many = "\n".join([HEADER, *[ROW] * (MOST_ROWS + 1)])
        for content, kind, sentence in (
            ("", CSV, "empty"),
            ("title,secret\nA,B\n", CSV, "no column “secret”"),
            ("title,Title\nA,B\n", CSV, "there twice: title"),
            (f"{HEADER}\n", CSV, "no row below"),
            (b"title\n\xff\xfe\n", CSV, "not UTF-8"),
            (b"title\nA\0\n", CSV, "NUL"),
            ('title\n"A\n', CSV, "lone quotation mark"),
            ("title\nA,B\n", CSV, "more cells than the header"),
            (many, CSV, "more than 300 rows"),
            ("PK", XLSX, "no Excel workbook"),
            (b"x" * (2 * 1024 * 1024 + 1), CSV, "larger than 2 MB"),
        ):
            with self.subTest(sentence):
                self.assertIn(sentence, self.refusal(content, kind))
        self.assertFalse(Event.objects.exists())

    def test_a_workbook_that_unpacks_to_much_is_refused_at_the_form(self) -> None:
        file = io.BytesIO()
        with ZipFile(io.BytesIO(workbook(["title"]))) as was, ZipFile(file, "w", ZIP_DEFLATED) as now:
            for name in was.namelist():
                is_sheet = name == "xl/worksheets/sheet1.xml"
                row = f"<worksheet><sheetData><row>{'<c/>' * 2_000_000}</row></sheetData></worksheet>"
                now.writestr(name, row if is_sheet else was.read(name))

        self.assertIn("The workbook is too large", self.refusal(file.getvalue(), XLSX))

    def test_what_one_admin_has_looked_at_no_other_confirms(self) -> None:
        sent = self.preview(f"{HEADER}\n{ROW}\n").context["confirm_form"].initial
        self.client.force_login(make_admin(is_staff=True))

        response = self.client.post(page("process_import"), sent, follow=True)

        self.assertContains(response, "The preview is over: choose the file again.")
        self.assertFalse(Event.objects.exists())
        self.assertTrue(sent["import_file_name"].startswith(f"{self.boss.pk}:"))

    def test_only_tables_are_offered(self) -> None:
        formats = [
            name for _, name in self.client.get(page("import")).context["form"].fields["format"].choices
        ]

        self.assertEqual(formats[1:], ["csv", "xlsx"])
        self.assertContains(self.client.get(page("changelist")), page("import"))

    def test_a_preview_that_is_over_says_so(self) -> None:
        sent = {
            **self.preview(f"{HEADER}\n{ROW}\n").context["confirm_form"].initial,
            "import_file_name": "../x",
        }

        response = self.client.post(page("process_import"), sent, follow=True)

        self.assertContains(response, "The preview is over: choose the file again.")
        self.assertFalse(Event.objects.exists())

    def test_platform_admins_alone_import_and_export(self) -> None:
        desk = make_user(is_staff=True, status="active", role="mentor")
        desk.user_permissions.set(Permission.objects.filter(content_type__app_label="events"))
        self.client.force_login(desk)

        for name in ("import", "export"):
            with self.subTest(name):
                self.assertEqual(self.client.get(page(name)).status_code, 403)
                self.assertNotContains(self.client.get(page("changelist")), page(name))
        self.assertEqual(self.client.post(page("process_import"), {}).status_code, 403)
