"""Spreadsheets of the admin site's imports and exports: CSV and XLSX, bounded, every cell a text."""

from __future__ import annotations

import base64
import csv
import io
import re
import uuid
from datetime import date, datetime, time
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import tablib
from django.core.cache import cache
from import_export.formats.base_formats import Format
from import_export.tmp_storages import BaseStorage

from core.refusals import Refused
from core.spreadsheets import SheetRefused, csv_text, plain_cell, safe_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Rows are written in one transaction while the page waits: some seconds, in which others wait for its rows.
MOST_ROWS: Final = 300
MOST_LINES: Final = 10_000  # with the blank ones
MOST_BYTES: Final = 2 * 1024 * 1024
KEEP_SECONDS: Final = 15 * 60  # between the preview and its confirmation
BYTE_ORDER_MARK: Final = "\ufeff"  # Excel takes UTF-8 for its own code page unless this stands first
DELIMITERS: Final = (",", ";", "\t")
ID: Final = "id"


class PreviewOver(Refused):
    """What was looked at is not kept any more (400)."""

    code = "validation_error"
    sentence = "The preview is over: choose the file again."


class ForAWhile(BaseStorage):  # type: ignore[misc]
    """Keeps a file between its preview and its confirmation in the cache, which all servers share.

    Its name begins with whose it is: ``kept_by(...)`` is the pattern of all names of a person.
    """

    def __init__(self, *, owner: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.owner = owner

    @staticmethod
    def kept_by(owner: int) -> re.Pattern[str]:
        return re.compile(rf"{owner}:[0-9a-f]{{32}}")

    def save(self, data: bytes) -> None:
        self.name = f"{self.owner}:{uuid.uuid4().hex}"
        cache.set(self.key, base64.b64encode(data).decode("ascii"), KEEP_SECONDS)

    def read(self) -> bytes:
        """Return the bytes. Raises PreviewOver (400)."""
        kept = cache.get(self.key)
        if kept is None:
            raise PreviewOver
        return base64.b64decode(kept)

    def remove(self) -> None:
        cache.delete(self.key)

    @property
    def key(self) -> str:
        return f"sheet:{self.name}"


class Sheet(Format):  # type: ignore[misc]
    """A table whose columns are those of the import, by their names in any spelling, and no others."""

    def __init__(self, encoding: str | None = None, *, columns: Sequence[str] = ()) -> None:
        self.encoding, self.columns = encoding, columns

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def rows_of(self, data: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
        """Yield the rows of a file with their numbers, its header first."""
        raise NotImplementedError

    def create_dataset(self, data: bytes) -> Any:
        """Read at most 300 rows. Raises SheetRefused (400) with a sentence that says what is wrong."""
        rows = self.filled(data)
        header = [self.column(cell) for cell in next(rows, (0, []))[1]]
        if not header:
            raise SheetRefused("The file is empty.")
        if twice := {name for name in header if header.count(name) > 1}:
            raise SheetRefused(f"Columns that are there twice: {', '.join(sorted(twice))}.")
        missing = [] if ID in header else [ID]
        table = tablib.Dataset(headers=[*header, *missing])
        for number, cells in rows:
            if len(table) == MOST_ROWS:
                raise SheetRefused(f"The file has more than {MOST_ROWS} rows. Send it in parts.")
            if len(cells) > len(header):
                raise SheetRefused(f"Row {number} has more cells than the header.")
            blank = len(header) + len(missing) - len(cells)
            table.append([*cells, *[""] * blank])
        if not len(table):
            raise SheetRefused("The file has no row below the one that names the columns.")
        return table

    def filled(self, data: bytes) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows in which something stands. Raises SheetRefused (400)."""
        for lines, (number, row) in enumerate(self.rows_of(data), 1):
            if lines > MOST_LINES:
                raise SheetRefused(f"The file has more than {MOST_LINES} lines. Take out the blank ones.")
            if cells := trimmed(row):
                yield number, cells

    def column(self, name: str) -> str:
        """Return the import's own name of a column: "Start at", "startAt" and "start_at" are one."""
        names = {squashed(each): each for each in self.columns}
        if squashed(name) not in names:
            known = ", ".join(self.columns)
            raise SheetRefused(f"There is no column “{name[:60]}” here. Columns are: {known}.")
        return names[squashed(name)]


def squashed(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def trimmed(row: Iterable[Any]) -> list[str]:
    """Return cells as texts, without empty ones at the end."""
    cells = [plain_cell(text_of(cell)).strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def why_not_read(error: csv.Error) -> str:
    """Say what the parser met; it has one exception for all, and reads on behind an open quotation mark."""
    if "field larger than field limit" in str(error):
        return f"a cell has more than {csv.field_size_limit() // 1024} kB, or a quotation mark is not closed"
    return "look for a lone quotation mark"


def text_of(cell: Any) -> str:
    """Return what a person reads in a cell; days and moments as ISO 8601 has them."""
    match cell:
        case None:
            return ""
        case datetime() | date():
            return cell.isoformat()
        case time():
            return cell.isoformat("minutes")
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell)


class CsvSheet(Sheet):
    """CSV in UTF-8, with commas, semicolons or tabs."""

    def get_title(self) -> str:
        return "csv"

    def get_extension(self) -> str:
        return "csv"

    def get_content_type(self) -> str:
        return "text/csv; charset=utf-8"

    def rows_of(self, data: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            sentence = "The file is not UTF-8. In Excel, choose “CSV UTF-8” when you save it."
            raise SheetRefused(sentence) from error
        if "\0" in text:
            raise SheetRefused("The file holds a NUL character: this is no text file.")
        first = text.partition("\n")[0]
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True
        )
        try:
            yield from enumerate(reader, 1)
        except csv.Error as error:
            raise SheetRefused(f"Line {reader.line_num} cannot be read: {why_not_read(error)}.") from error

    def export_data(self, table: Any, **kwargs: Any) -> bytes:
        return (BYTE_ORDER_MARK + "".join(csv_text(table.headers, table))).encode()


class XlsxSheet(Sheet):
    """The first sheet of an Excel workbook; of formulas what they came to."""

    def get_title(self) -> str:
        return "xlsx"

    def get_extension(self) -> str:
        return "xlsx"

    def get_content_type(self) -> str:
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def rows_of(self, data: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
        from core.admin import workbooks  # noqa: PLC0415 - openpyxl is large, and seldom needed

        try:
            yield from workbooks.Workbook(data).rows()
        except workbooks.BROKEN as error:
            raise SheetRefused("The file is no Excel workbook (.xlsx).") from error

    def export_data(self, table: Any, **kwargs: Any) -> bytes:
        from openpyxl import Workbook  # noqa: PLC0415 - as above
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415 - as above

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sheet 1")
        for row in chain([table.headers], table):
            sheet.append([ILLEGAL_CHARACTERS_RE.sub("\ufffd", safe_cell(str(cell))) for cell in row])
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
