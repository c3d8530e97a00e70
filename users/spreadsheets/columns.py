"""Columns and cells: which field a column means, and cells as values that the API itself would take."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import ValidationError

from core.exceptions import first_sentence
from core.roles import Role
from core.spreadsheets import plain_cell
from users.addresses import normalise
from users.models import User
from users.policy import Writer, fields_of, read_only_for
from users.serializers.imports import SheetPersonSerializer
from users.serializers.people import CHIPS, flattened
from users.spreadsheets.reading import FileRefused

SECTIONS: Final = ("account", "profile", "supervisorProfile")
LISTS: Final = frozenset({"areasOfInterest", "controlledInterests"})
# What our own files hold beside the fields: it is known, and says nothing new.
SILENT: Final = frozenset({"id", "name", "line", "reason"})
# OWASP "CSV Injection": a call, a sheet or a pipe. A phone number, or a bio that begins with a dash, is none.
FORMULA: Final = re.compile(
    r"[=@\uff1d\uff20]|[+\-\uff0b\uff0d](.*\||.*\w\(|.*!\$?[a-z]+\$?\d)", re.IGNORECASE | re.DOTALL
)
LONGEST_NAME: Final = 100
SEPARATORS: Final = re.compile("[,;]")
FORMULA_REASON: Final = "This looks like a formula. Put an apostrophe before it if it is text."
SURPLUS_REASON: Final = "The row has more cells than the header."


class Note(NamedTuple):
    """A sentence about one field of a row; about the row itself where the field is blank."""

    field: str
    reason: str


@dataclass
class Wanted:
    """What a row says of a person: values by section, ready for the services, and what is wrong with them.

    ``address`` is normalised, also where something else of the row is wrong; blank where there is none.
    """

    address: str = ""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    faults: list[Note] = field(default_factory=list)

    @property
    def new_address(self) -> str:
        return str(self.values.get("account", {}).get("new_email", ""))


def squashed(name: str) -> str:
    """Return a header's name as it is compared: ``First Name``, ``first_name`` and ``firstName`` are one."""
    return re.sub(r"[\s_-]", "", name).lower()


def writable(section: str) -> list[str]:
    read_only = read_only_for(section, Writer.ADMIN)
    return [name for name in fields_of(section) if name not in read_only]


SECTION_OF: Final = {name: section for section in SECTIONS for name in writable(section)} | {
    "newEmail": "account"
}
FIELDS: Final = {squashed(name): name for name in SECTION_OF}
WORDS: Final = {
    name: {word.lower(): value for value, label in choices for word in (value, label)}
    for name, choices in (("role", Role.choices), ("status", User.Status.choices))
}


class Columns:
    """A header that has been understood. Raises FileRefused (400) where it names no people."""

    def __init__(self, header: list[str]) -> None:
        self.width = len(header)
        self.fields = [FIELDS.get(squashed(name)) for name in header]
        self.ignored = [
            name or f"Column {number}"
            for number, name in enumerate(header, 1)
            if squashed(name) not in FIELDS and squashed(name) not in SILENT
        ]
        self.serializer = SheetPersonSerializer()
        if long := next((place for place, name in enumerate(header, 1) if len(name) > LONGEST_NAME), 0):
            raise FileRefused(f"The name of column {long} is longer than {LONGEST_NAME} characters.")
        named = [name for name in self.fields if name]
        if "email" not in named:
            raise FileRefused("The header names no column 'email'.")
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise FileRefused(f"Two columns stand for the same field, '{twice}'.")

    def read(self, cells: list[str]) -> Wanted:
        """Turn a row's cells into values. An empty cell says nothing: the field is left as it is."""
        wanted = Wanted(faults=[Note("", SURPLUS_REASON)] if len(cells) > self.width else [])
        for name, cell in zip(self.fields, cells, strict=False):
            if name and cell and FORMULA.match(cell):
                wanted.faults.append(Note(name, FORMULA_REASON))
            elif name and cell:
                wanted.cells[name] = plain_cell(cell)
        wanted.address = address_in(wanted.cells.get("email", ""))
        try:
            valid = self.serializer.run_validation(nested(wanted.cells))
        except ValidationError as error:
            faults = flattened(error.detail).items()
            known = {note.field for note in wanted.faults}
            wanted.faults += [Note(name, first_sentence(said)) for name, said in faults if name not in known]
        else:
            wanted.values = sections_of(valid)
        return wanted


def address_in(cell: str) -> str:
    try:
        return normalise(cell)
    except DjangoValidationError:
        return ""


def mailbox(text: str) -> str:
    """Return an address as it is compared, also where it is none that we would take."""
    return address_in(text) or text.lower()


def nested(cells: dict[str, str]) -> dict[str, Any]:
    """Return cells as the document that a client would send."""
    document: dict[str, Any] = {}
    for name, cell in cells.items():
        section = SECTION_OF[name]
        place = document if section == "account" else document.setdefault(section, {})
        place[name] = listed(cell) if name in LISTS else WORDS.get(name, {}).get(cell.lower(), cell)
    return document


def listed(cell: str) -> list[str]:
    """Split a cell into items, no further than one more than a list may hold."""
    return [item.strip() for item in SEPARATORS.split(cell, maxsplit=CHIPS) if item.strip()]


def sections_of(valid: dict[str, Any]) -> dict[str, dict[str, Any]]:
    account = dict(valid)
    beside = {name: dict(account.pop(name, None) or {}) for name in ("profile", "supervisor_profile")}
    return {"account": account, **beside}
