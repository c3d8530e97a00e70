"""Rows of an import as admins look at them: whom each is about, what becomes of them, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.spreadsheets import csv_text
from users.services.import_rows import content_of
from users.services.imports import BYTE_ORDER_MARK
from users.spreadsheets.columns import SECTION_OF, Columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from users.models import ImportRow, PeopleImport
    from users.spreadsheets.columns import Note


class ShownRow(NamedTuple):
    """A row unsealed. ``address`` and ``name`` are as the file has them, blank where it has none."""

    line: int
    address: str
    name: str
    outcome: str
    state: str
    faults: list[Note]
    remarks: list[Note]


def shown_rows(batch: PeopleImport, rows: Iterable[ImportRow]) -> list[ShownRow]:
    """Unseal rows of an import, in their order; after a lost key they say so. No query."""
    header = batch.header
    fields = Columns(header).fields if header else []
    return [shown_row(row, fields) for row in rows]


def shown_row(row: ImportRow, fields: list[str | None]) -> ShownRow:
    cells, faults, remarks = content_of(row)
    said = {name: cell for name, cell in zip(fields, cells, strict=False) if name}
    name = f"{said.get('firstName', '')} {said.get('lastName', '')}".strip()
    return ShownRow(row.line, said.get("email", ""), name, row.outcome, row.state, faults, remarks)


def template_csv() -> Iterator[str]:
    """Yield a file with every column that an import knows, and nobody in it."""
    yield BYTE_ORDER_MARK
    yield from csv_text(SECTION_OF, [])
