"""Workbooks are read within bounds: what is beyond them is refused in words, and never left out."""

from __future__ import annotations

import io
import zlib
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

from django.test import SimpleTestCase
from openpyxl import Workbook as Written
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from core.admin import workbooks
from core.admin.sheets import MOST_LINES, MOST_ROWS, CsvSheet, XlsxSheet
from core.admin.workbooks import (
    MOST_COLUMNS,
    MOST_ELEMENTS,
    Workbook,
    WorkbookTooLarge,
)
from core.spreadsheets import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

SHEET: Final = "xl/worksheets/sheet1.xml"
STYLES: Final = "xl/styles.xml"
NAMESPACE: Final = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
COLUMNS: Final = ("id", "title", "description")
FEW_BYTES: Final = 100_000


def workbook(*rows: Iterable[Any], cells: dict[str, Any] | None = None) -> bytes:
    """Return a workbook as a library writes it."""
    book = Written(iso_dates=False)
    sheet: Any = book.active
    for row in rows:
        sheet.append(list(row))
    for place, value in (cells or {}).items():
        sheet[place] = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(name: str, xml: str, *, method: int = ZIP_DEFLATED) -> bytes:
    """Return a workbook one of whose parts is this."""
    file = io.BytesIO()
    with ZipFile(io.BytesIO(workbook(["title"], ["A"]))) as was, ZipFile(file, "w") as now:
        for entry in was.namelist():
            now.writestr(entry, xml if entry == name else was.read(entry), method)
    return file.getvalue()


def sheet_of(data: str) -> bytes:
    return with_part(SHEET, f"<worksheet {NAMESPACE}><sheetData>{data}</sheetData></worksheet>")


def table(data: bytes, kind: type[XlsxSheet | CsvSheet] = XlsxSheet) -> list[tuple[str, ...]]:
    return [tuple(row) for row in kind(columns=COLUMNS).create_dataset(data)]


class BoundsTests(SimpleTestCase):
    def refusal(self, data: bytes, kind: type[XlsxSheet | CsvSheet] = XlsxSheet) -> str:
        with self.assertRaises(SheetRefused) as caught:
            table(data, kind)
        return caught.exception.message

    def test_reading_ends_at_so_many_elements(self) -> None:
        most = 2 * MOST_LINES
        self.enterContext(patch.object(workbooks, "MOST_ELEMENTS", most))
        many = most + 4_000
        for data in (
            sheet_of(f"<row>{'<c/>' * many}</row>"),
            sheet_of("<row/>" * many),
            sheet_of("<row>" * many + "</row>" * many),
            with_part(STYLES, f"<styleSheet {NAMESPACE}><cellXfs>{'<xf/>' * many}</cellXfs></styleSheet>"),
        ):
            with self.subTest(size=len(data)):
                self.assertLess(len(data), 10_000)
                book = Workbook(data)
                with self.assertRaises(WorkbookTooLarge):
                    list(book.rows())
                self.assertEqual(book.elements_left, -1)
                self.assertRegex(self.refusal(data), "too large|more than 10000 lines")

    def test_unpacking_ends_at_so_many_bytes(self) -> None:
        self.enterContext(patch.object(workbooks, "MOST_UNPACKED_BYTES", FEW_BYTES))
        for name in (SHEET, STYLES, "xl/workbook.xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"):
            data = with_part(name, " " * 10 * FEW_BYTES)
            with self.subTest(name):
                book = Workbook(data)
                with self.assertRaises(WorkbookTooLarge):
                    list(book.rows())
                self.assertEqual(book.bytes_left, -1)
                self.assertGreater(book.elements_left, MOST_ELEMENTS - 500)

    def test_what_a_header_says_of_a_size_is_not_believed(self) -> None:
        data = with_part(SHEET, "<!--" + "a" * 10_000_000 + "-->")
        said = (10_000_000 + 7).to_bytes(4, "little")

        self.assertIn(said, data)
        self.assertIn("no Excel workbook", self.refusal(data.replace(said, (100).to_bytes(4, "little"))))

    def test_parts_that_are_not_read_are_not_unpacked(self) -> None:
        self.enterContext(patch.object(workbooks, "MOST_UNPACKED_BYTES", FEW_BYTES))
        data = with_part("xl/theme/theme1.xml", "a" * 10 * FEW_BYTES)

        self.assertEqual(table(data), [("A", "")])

    def test_what_is_no_workbook_or_harms_a_parser_is_refused_in_words(self) -> None:
        lol = "<!DOCTYPE a [<!ENTITY b 'b'>]><worksheet>&b;</worksheet>"
        for data in (
            b"PK",
            workbook(["title"])[:2_000],
            with_part(SHEET, lol),
            with_part(SHEET, "<worksheet>"),
            with_part(SHEET, "<worksheet/>", method=ZIP_BZIP2),
            with_part("xl/workbook.xml", f"<workbook {NAMESPACE}/>"),
            sheet_of('<row r="x"/>'),
            sheet_of('<row><c t="s"><v>99</v></c></row>'),
            sheet_of('<row><c r="AAAA1"><v>9</v></c></row>'),
            sheet_of(f'<row r="{"9" * 5_000}"/>'),
            sheet_of("<row><c><v>x</v></c></row>"),
        ):
            with self.subTest(crc=zlib.crc32(data)):
                self.assertIn("no Excel workbook", self.refusal(data))

    def test_a_format_that_no_excel_writes_costs_no_time(self) -> None:
        style = f'<numFmts><numFmt numFmtId="9" formatCode="{"[" * 1_000_000}"/></numFmts>'
        xml = f'<styleSheet {NAMESPACE}>{style}<cellXfs><xf numFmtId="9"/></cellXfs></styleSheet>'

        self.assertEqual(table(with_part(STYLES, xml)), [("A", "")])

    def test_no_row_and_no_cell_is_left_out_without_a_word(self) -> None:
        far = workbook(["title"], cells={f"A{2_500}": "Far", "A1048576": "Farther"})
        gaps = workbook(["title"], cells={f"A{2 * number}": str(number) for number in range(1, 250)})
        beyond = workbook(["title"], ["A"], cells={"BP2": "lost"})
        beside = workbook(["title"], ["A"], cells={"C2": "lost"})
        full = [[str(number)] for number in range(MOST_ROWS)]

        self.assertEqual([row[0] for row in table(far)], ["Far", "Farther"])
        self.assertEqual(len(table(gaps)), 249)
        self.assertEqual(self.refusal(beyond), f"Row 2 has a cell beyond column {MOST_COLUMNS}.")
        self.assertEqual(self.refusal(beside), "Row 2 has more cells than the header.")
        self.assertEqual(len(table(workbook(["title"], *full))), MOST_ROWS)
        self.assertIn("more than 300 rows", self.refusal(workbook(["title"], *full, ["one more"])))

    def test_nor_is_one_of_a_csv_file(self) -> None:
        gaps = "title\n" + "\n,\n".join(map(str, range(250)))
        cell = "title\nA" + "," * 67 + "lost\n"

        self.assertEqual(len(table(gaps.encode(), CsvSheet)), 250)
        self.assertEqual(self.refusal(cell.encode(), CsvSheet), "Row 2 has more cells than the header.")
        blank = b"title\nA" + b"\n" * (MOST_LINES + 1)
        self.assertIn("10000 lines", self.refusal(blank, CsvSheet))


class CellsTests(SimpleTestCase):
    def test_cells_are_what_a_person_reads(self) -> None:
        rich = CellRichText("Rich ", TextBlock(InlineFont(b=True), "text"))
        values = [
            ("text", "text"),
            (" spaced ", "spaced"),
            (rich, "Rich text"),
            (12, "12"),
            (-3, "-3"),
            (1.5, "1.5"),
            (30.0, "30"),
            (False, "False"),
            (date(2031, 5, 6), "2031-05-06T00:00:00"),
            (datetime(2031, 5, 6, 18, 30), "2031-05-06T18:30:00"),  # noqa: DTZ001 - a workbook knows no zones
            (time(9, 5), "09:05"),
            ("日本 — ü", "日本 — ü"),
        ]

        rows = table(workbook(["title"], *([value] for value, _ in values)))

        self.assertEqual([row[0] for row in rows], [read for _, read in values])

    def test_other_kinds_are_read_as_the_standard_has_them(self) -> None:
        cells = {
            '<c t="inlineStr"><is><t>in</t><rPh><t>kana</t></rPh></is></c>': "in",
            '<c t="str"><f>A1</f><v>came to</v></c>': "came to",
            '<c t="e"><v>#N/A</v></c>': "#N/A",
            '<c t="d"><v>2031-05-06</v></c>': "2031-05-06",
            "<c><v>1e3</v></c>": "1000",
            '<c r="A9"><v>7</v></c><c/><c t="s"/>': "7",
        }
        header = '<row><c t="inlineStr"><is><t>title</t></is></c></row>'

        rows = table(sheet_of(header + "".join(f"<row>{cell}</row>" for cell in cells)))

        self.assertEqual([row[0] for row in rows], list(cells.values()))

    def test_days_may_be_counted_from_1904(self) -> None:
        book = Written()
        book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - as above
        sheet: Any = book.active
        sheet.append(["title"])
        sheet.append([date(2031, 5, 6)])
        file = io.BytesIO()
        book.save(file)

        self.assertEqual(table(file.getvalue())[0][0], "2031-05-06T00:00:00")
