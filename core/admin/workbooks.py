"""Excel workbooks (ECMA-376): the cells of the first sheet, within bounds whatever the file says of itself.

Only the parts that hold cells are unpacked, each is read element by element, and reading ends at the bound.
"""

from __future__ import annotations

import io
import posixpath
import zlib
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from defusedxml.ElementTree import ParseError, iterparse  # type: ignore[import-untyped]
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from core.spreadsheets import SheetRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

MOST_UNPACKED_BYTES: Final = 4 * 1024 * 1024  # of all parts that are read
MOST_ELEMENTS: Final = 100_000  # of them all: 300 full rows of events have some 20,000
MOST_COLUMNS: Final = 50
LONGEST_FORMAT: Final = 255  # characters, as in Excel itself
LONGEST_INT: Final = 15  # digits that Excel keeps
ENCRYPTED: Final = 0x1
BROKEN: Final = (
    *(BadZipFile, NotImplementedError, EOFError, ValueError, OSError, RuntimeError, LookupError),
    *(zlib.error, ParseError),
)


class WorkbookTooLarge(SheetRefused):
    """More bytes or elements than a table of ours has (400)."""

    sentence = "The workbook is too large. Copy the table alone into a new one, or save it as CSV."


class Workbook:
    """A file that is one perhaps. ``elements_left`` is what may still be read of it.

    Raises SheetRefused (400), and BROKEN for what is no workbook.
    """

    def __init__(self, data: bytes) -> None:
        self.archive = ZipFile(io.BytesIO(data))
        self.bytes_left, self.elements_left = MOST_UNPACKED_BYTES, MOST_ELEMENTS
        self.epoch = WINDOWS_EPOCH
        self.texts: list[str] = []
        self.date_styles: set[int] = set()

    def part(self, name: str) -> bytes:
        """Unpack a part: what its header says of its size is not asked."""
        entry = self.archive.getinfo(name)
        # Other methods are unpacked at once, however little is wanted.
        if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED} or entry.flag_bits & ENCRYPTED:
            raise BadZipFile
        with self.archive.open(entry) as file:
            data = file.read(self.bytes_left + 1)
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise WorkbookTooLarge
        return data

    def elements(self, name: str) -> Iterator[tuple[str, Element]]:
        """Yield each element of a part as it ends, with its name; a document type is refused."""
        for event, element in iterparse(io.BytesIO(self.part(name)), ("start", "end"), forbid_dtd=True):
            if event == "end":
                yield local(element), element
                continue
            self.elements_left -= 1
            if self.elements_left < 0:
                raise WorkbookTooLarge

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield the rows that the first sheet has, with their numbers; their cells begin in column A."""
        sheet = self.open_first_sheet()
        number = 0
        for name, element in self.elements(sheet):
            if name == "row":
                number = int(element.get("r") or number + 1)
                yield number, self.cells(element, number)
                element.clear()

    def open_first_sheet(self) -> str:
        """Read what cells refer to, and return the part that has them."""
        book = next(path for kind, path in self.relations("").values() if kind == "officeDocument")
        relations = self.relations(book)
        by_kind = {kind: path for kind, path in relations.values() if kind in {"sharedStrings", "styles"}}
        sheets = []
        for name, element in self.elements(book):
            if name == "workbookPr" and element.get("date1904") in {"1", "true"}:
                self.epoch = MAC_EPOCH
            elif name == "sheet":
                sheets.append(next(value for key, value in element.items() if key.endswith("}id")))
        if "sharedStrings" in by_kind:
            strings = self.elements(by_kind["sharedStrings"])
            self.texts = [text_in(element) for name, element in strings if name == "si"]
        if "styles" in by_kind:
            self.date_styles = self.styles_of_dates(by_kind["styles"])
        for sheet in sheets:
            kind, path = relations[sheet]
            if kind == "worksheet":
                return path
        raise BadZipFile

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the kind and the path of each part that one refers to."""
        folder, name = posixpath.split(part)
        found = {}
        for tag, element in self.elements(posixpath.join(folder, f"_rels/{name}.rels")):
            if tag == "Relationship":
                path = posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))
                kind = element.get("Type", "").rpartition("/")[2]
                found[element.get("Id", "")] = (kind, path.lstrip("/"))
        return found

    def styles_of_dates(self, part: str) -> set[int]:
        """Return which styles of cells show a number as a day or a time."""
        formats, styles = dict(BUILTIN_FORMATS), set()
        for name, element in self.elements(part):
            if name == "numFmts":
                told = {int(each.get("numFmtId", "")): each.get("formatCode", "") for each in element}
                formats.update(told)
            elif name == "cellXfs":
                ids = [int(each.get("numFmtId") or 0) for each in element]
                codes = [formats.get(number, "")[:LONGEST_FORMAT] for number in ids]
                styles = {style for style, code in enumerate(codes) if is_date_format(code)}
        return styles

    def cells(self, row: Element, number: int) -> list[Any]:
        found: dict[int, Any] = {}
        column = 0
        for cell in row:
            if local(cell) != "c":
                continue
            place = (cell.get("r") or "").rstrip("0123456789")
            column = column_index_from_string(place) if place else column + 1
            value = self.value(cell)
            if value == "":
                continue
            if column > MOST_COLUMNS:
                raise SheetRefused(f"Row {number} has a cell beyond column {MOST_COLUMNS}.")
            found[column] = value
        return [found.get(each, "") for each in range(1, max(found, default=0) + 1)]

    def value(self, cell: Element) -> Any:
        """Return what a cell holds; of a formula what it came to, of an error its name."""
        kind = cell.get("t", "n")
        parts = {local(each): each for each in cell}
        if kind == "inlineStr":
            return text_in(parts["is"]) if "is" in parts else ""
        text = (parts["v"].text or "") if "v" in parts else ""
        if not text:
            return ""
        match kind:
            case "s":
                return self.texts[int(text)]
            case "b":
                return text == "1"
            case "n":
                return self.number(text, style=int(cell.get("s") or 0))
        return text

    def number(self, text: str, *, style: int) -> Any:
        number = float(text)
        if style in self.date_styles:
            try:
                return from_excel(number, self.epoch)
            except (ValueError, OverflowError):
                return text  # no day that there is: said where the cell is read
        is_int = text.lstrip("-").isdecimal() and len(text) <= LONGEST_INT
        return int(text) if is_int else number


def local(element: Element) -> str:
    """Return the name of an element without its namespace, of which two editions of the standard differ."""
    return element.tag.rpartition("}")[2]


def text_in(element: Element) -> str:
    """Return a text, of whose parts each may have a look of its own; without readings (``rPh``)."""
    runs = [each for each in element if local(each) == "r"]
    parts = [each for parent in [element, *runs] for each in parent if local(each) == "t"]
    return "".join(part.text or "" for part in parts)
