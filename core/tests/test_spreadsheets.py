"""Cells that no spreadsheet runs, in a table that reads back as it was (SAFETY B39)."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.test import SimpleTestCase

from core.spreadsheets import FORMULA_STARTS, ROWS_A_CHUNK, CsvResponse, csv_text, plain_cell, safe_cell

DANGEROUS = (
    *("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\0=1", "=", "-"),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(1)"),
    '=HYPERLINK("https://evil.example","x")',
)
HARMLESS = ("", "a", "1", "a=1", " =1", "'", "'a", "é", "日本", "\u2212" + "1", "\\=1", '"=1"')


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


class CellTests(SimpleTestCase):
    def test_an_apostrophe_leads_what_would_run(self) -> None:
        """B30."""
        for text in DANGEROUS:
            with self.subTest(repr(text)):
                self.assertEqual(safe_cell(text), f"'{text}")

    def test_everything_else_stays(self) -> None:
        for text in HARMLESS:
            with self.subTest(repr(text)):
                self.assertEqual(safe_cell(text), text)

    def test_the_plain_cell_is_what_was_meant(self) -> None:
        for text in (*DANGEROUS, *HARMLESS):
            with self.subTest(repr(text)):
                self.assertEqual(plain_cell(safe_cell(text)), text)

    def test_an_apostrophe_of_the_persons_own_stays(self) -> None:
        for text in ("'", "'tis", "''", "'=1", "''=1", "''''@x"):
            with self.subTest(repr(text)):
                self.assertEqual(plain_cell(safe_cell(text)), text)


class TextTests(SimpleTestCase):
    def test_it_is_rfc_4180(self) -> None:
        text = "".join(
            csv_text(["A", "B"], [["x,y", 'say "hi"'], ["two\nlines", None], [1, -2.5], [True, "ü"]])
        )

        self.assertEqual(text, 'A,B\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n1,-2.5\r\nTrue,ü\r\n')

    def test_it_reads_back_as_it_was(self) -> None:
        cells = [text.replace("\0", "") for text in (*DANGEROUS, *HARMLESS)]
        cells += [
            '"',
            '""',
            ",",
            "a\r\nb",
            "a\rb",
            "tab\there",
            "🧬",
            "e\u0301",
            "\u202edlrow",
            "x" * 100_000,
        ]

        rows = read("".join(csv_text(["cell", "again"], [[cell, cell] for cell in cells])))

        self.assertEqual([[plain_cell(cell) for cell in row] for row in rows[1:]], [[c, c] for c in cells])
        for _, cell in rows:
            self.assertFalse(cell.startswith(FORMULA_STARTS), repr(cell[:10]))

    def test_without_rows_it_is_its_header(self) -> None:
        self.assertEqual("".join(csv_text(["A", "B"], [])), "A,B\r\n")

    def test_it_comes_in_pieces_of_some_rows_and_asks_for_no_more(self) -> None:
        asked: list[int] = []

        def rows() -> Any:
            for number in range(1_000):
                asked.append(number)
                yield [number]

        pieces = csv_text(["n"], rows())
        next(pieces)
        next(pieces)

        self.assertEqual(len(asked), ROWS_A_CHUNK)
        self.assertEqual(len(read("".join(pieces))), 1_000 - ROWS_A_CHUNK)


class ResponseTests(SimpleTestCase):
    def test_it_is_a_file_to_be_saved(self) -> None:
        response = CsvResponse("people.csv", csv_text(["A"], []))

        self.assertEqual(response.headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertEqual(response.headers["Content-Disposition"], 'attachment; filename="people.csv"')
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(response.streaming)

    async def test_an_event_loop_gets_the_same_pieces(self) -> None:
        def rows() -> Any:
            yield from ([number, "é"] for number in range(500))

        pieces = [piece async for piece in CsvResponse("a.csv", csv_text(["n", "x"], rows()))]

        self.assertGreater(len(pieces), 2)
        self.assertEqual(b"".join(pieces), "".join(csv_text(["n", "x"], rows())).encode())
