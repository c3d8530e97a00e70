"""The bytes of a CSV file as a header and numbered rows: bounded, and read as spreadsheet programs write."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_LINE_BYTES: Final = 100_000
MAX_LINES: Final = 200_000
MAX_COLUMNS: Final = 100
MAX_ROWS: Final = 10_000
DELIMITERS: Final = (",", ";", "\t")
WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
QUOTED: Final = re.compile('"[^"]*"')
SAID: Final = re.compile('"?sep=(.)"?', re.IGNORECASE)


class FileRefused(Refused):
    """The file cannot be read as a table of people (400)."""

    code = "validation_error"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, field="file")


@dataclass(frozen=True)
class Row:
    """One row: on which line it begins, and its cells, trimmed, without empty ones at its end."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Sheet:
    """A table. Its rows are read as they are asked for, which may raise FileRefused."""

    header: list[str]
    rows: Iterator[Row]


def read_sheet(data: bytes) -> Sheet:
    """Read a CSV file. Raises FileRefused (400) with a sentence that names the line where there is one."""
    lines = io.StringIO(decoded(data.removeprefix(BOM_UTF8)), newline="")
    head, above = leading(lines), 0
    said = SAID.fullmatch(head[-1].strip(" \r\n")) if head else None
    if said:
        above, head = len(head), leading(lines)
    rows = numbered(chain(head, lines), delimiter=delimiter_of(head, said), above=above)
    header = next(rows, None)
    if header is None:
        raise FileRefused("The file is empty.")
    if len(header.cells) > MAX_COLUMNS:
        raise FileRefused(f"The file has more than {MAX_COLUMNS} columns.")
    return Sheet(header.cells, bounded(rows))


def decoded(data: bytes) -> str:
    """Return the text, once nothing in it can surprise the parser."""
    if len(data) > MAX_BYTES:
        raise FileRefused(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    if data.startswith(WORKBOOKS):
        raise FileRefused("This is an Excel workbook. Save it as 'CSV UTF-8', and send that file.")
    if data.startswith(WIDE):
        raise FileRefused(
            "Line 1 is not UTF-8 but UTF-16. In Excel, choose 'CSV UTF-8' when you save the file."
        )
    if (nul := data.find(b"\0")) >= 0:
        raise FileRefused(f"Line {line_at(data, nul)} holds a NUL character: this is no text file.")
    if line_at(data, len(data)) > MAX_LINES:
        raise FileRefused(f"The file has more than {MAX_LINES} lines.")
    if long := next(
        (line for line, held in enumerate(data.splitlines(), 1) if len(held) > MAX_LINE_BYTES), 0
    ):
        raise FileRefused(f"Line {long} is longer than {MAX_LINE_BYTES} bytes.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = line_at(data, error.start)
        raise FileRefused(
            f"Line {line} is not UTF-8. In Excel, choose 'CSV UTF-8' when you save the file."
        ) from error


def line_at(data: bytes, place: int) -> int:
    """Return the number of the line on which a byte stands; a line ends in LF, CR or both."""
    return 1 + sum(sign * data.count(end, 0, place) for end, sign in ((b"\n", 1), (b"\r", 1), (b"\r\n", -1)))


def leading(lines: Iterator[str]) -> list[str]:
    """Take lines up to the first that is not blank, and with it."""
    taken: list[str] = []
    for line in lines:
        taken.append(line)
        if line.strip():
            break
    return taken


def delimiter_of(head: list[str], said: re.Match[str] | None) -> str:
    """Return what separates cells: as the file itself says, else what the header uses most outside quotes."""
    if said is None:
        plain = QUOTED.sub("", head[-1]) if head else ""
        return max(DELIMITERS, key=plain.count)
    if said[1] not in DELIMITERS:
        raise FileRefused("Line 1 names a separator that is neither comma, semicolon nor tab.")
    return said[1]


def numbered(lines: Iterator[str], *, delimiter: str, above: int) -> Iterator[Row]:
    """Yield the rows that are not blank. ``above`` lines were read before."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = above + reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)[: MAX_COLUMNS + 1]]
        except StopIteration:
            return
        except csv.Error as error:
            raise FileRefused(
                f"Line {line} cannot be read: a quotation mark is not closed or stands inside a cell, "
                "or a cell is too long."
            ) from error
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield Row(line, cells)


def bounded(rows: Iterator[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number == MAX_ROWS:
            raise FileRefused(f"The file has more than {MAX_ROWS} people. Send it in parts.")
        yield row
