"""Tables for spreadsheet programs: no cell that runs, no table that is whole in memory."""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from core.refusals import Refused
from core.streaming import InPieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# OWASP "CSV Injection", with the full-width twins that some programs fold.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", *"\uff1d\uff0b\uff0d\uff20")
SUSPECT: Final = {"'", *FORMULA_STARTS}
ROWS_A_CHUNK: Final = 200


class SheetRefused(Refused):
    """The file cannot be read as such a table (400)."""

    code = "validation_error"


def safe_cell(text: str) -> str:
    """Return text that a spreadsheet shows as it is: an apostrophe leads what it would run.

    And what looks like that already, so that ``plain_cell`` gives back the very text.
    """
    if text[:1] not in SUSPECT:
        return text
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def plain_cell(text: str) -> str:
    """Return what ``safe_cell`` was given."""
    is_led = text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS)
    return text[1:] if is_led else text


class Lines:
    """A file that only gives back what was written since it was last asked."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def write(self, text: str) -> None:
        self.waiting.append(text)

    def take(self) -> str:
        text = "".join(self.waiting)
        self.waiting.clear()
        return text


def csv_text(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield CSV (RFC 4180: commas, CRLF, quotes where needed), 200 rows a piece, every text cell safe."""
    lines = Lines()
    writer = csv.writer(lines)
    for number, row in enumerate(chain([header], rows)):
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
        if number % ROWS_A_CHUNK == 0:
            yield lines.take()
    yield lines.take()


class CsvResponse(InPieces):
    """A CSV file to be saved."""

    def __init__(self, filename: str, text: Iterable[str]) -> None:
        super().__init__(text, content_type="text/csv; charset=utf-8")
        self.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        self.headers["X-Content-Type-Options"] = "nosniff"
