"""Spreadsheets of the admin site's imports and exports: CSV and XLSX, bounded, every cell a text."""

from __future__ import annotations

import base64
import csv
import io
import re
import uuid
import zipfile
from datetime import date, datetime, time
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import tablib
from django.core.cache import cache
from import_export.formats.base_formats import Format
from import_export.tmp_storages import BaseStorage
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from core.refusals import Refused
from core.spreadsheets import csv_text, plain_cell, safe_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_ROWS: Final = 2_000
MOST_BYTES: Final = 2 * 1024 * 1024
MOST_UNPACKED_BYTES: Final = 40 * 1024 * 1024  # of a workbook, which is a ZIP
MOST_COLUMNS: Final = 50
KEEP_SECONDS: Final = 15 * 60  # between the preview and its confirmation
BYTE_ORDER_MARK: Final = "\ufeff"  # Excel takes UTF-8 for its own code page unless this stands first
DELIMITERS: Final = (",", ";", "\t")
ID: Final = "id"


class SheetRefused(Refused):
    """The file cannot be read as such a table (400)."""

    code = "validation_error"


class PreviewOver(Refused):
    """What was looked at is not kept any more (400)."""

    code = "validation_error"
    sentence = "The preview is over: choose the file again."


class ForAWhile(BaseStorage):  # type: ignore[misc]
    """Keeps a file between its preview and its confirmation in the cache, which all servers share."""

    def save(self, data: bytes) -> None:
        self.name = uuid.uuid4().hex
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

    def rows_of(self, data: bytes) -> Iterator[Sequence[Any]]:
        """Yield the rows of a file, its header first."""
        raise NotImplementedError

    def create_dataset(self, data: bytes) -> Any:
        """Read at most 2,000 rows. Raises SheetRefused (400) with a sentence that says what is wrong."""
        rows = self.rows_of(data)
        header = [self.column(cell) for cell in trimmed(next(rows, []))]
        if not header:
            raise SheetRefused("The file is empty.")
        if twice := {name for name in header if header.count(name) > 1}:
            raise SheetRefused(f"Columns that are there twice: {', '.join(sorted(twice))}.")
        missing = [] if ID in header else [ID]
        table = tablib.Dataset(headers=[*header, *missing])
        for number, row in enumerate(islice(filter(any, map(trimmed, rows)), MOST_ROWS + 1), 1):
            if number > MOST_ROWS:
                raise SheetRefused(f"The file has more than {MOST_ROWS} rows. Send it in parts.")
            cells = [*row, *[""] * (len(header) - len(row))]
            if len(cells) > len(header):
                raise SheetRefused(f"Row {number} has more cells than the header.")
            table.append([*cells, *[""] * len(missing)])
        return table

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
    cells = [plain_cell(text_of(cell)).strip() for cell in islice(row, MOST_COLUMNS)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


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

    def rows_of(self, data: bytes) -> Iterator[Sequence[Any]]:
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
            yield from reader
        except csv.Error as error:
            sentence = f"Line {reader.line_num} cannot be read: look for a lone quotation mark."
            raise SheetRefused(sentence) from error

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

    def rows_of(self, data: bytes) -> Iterator[Sequence[Any]]:
        try:
            unpacked = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(data)).infolist())
        except zipfile.BadZipFile as error:
            raise SheetRefused("The file is no Excel workbook (.xlsx).") from error
        if unpacked > MOST_UNPACKED_BYTES:
            raise SheetRefused("The workbook is too large.")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # what it says of itself need not be so
        # The header, the rows, and one row and column too many: so that they are seen.
        yield from sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS, values_only=True)

    def export_data(self, table: Any, **kwargs: Any) -> bytes:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sheet 1")
        for row in chain([table.headers], table):
            sheet.append([ILLEGAL_CHARACTERS_RE.sub("\ufffd", safe_cell(str(cell))) for cell in row])
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
