"""People as a table for spreadsheet programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core import audit
from core.roles import Role
from core.spreadsheets import csv_text
from users.models import User
from users.names import COLUMNS as COLUMNS_OF_NAME
from users.names import Somebody

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import QuerySet

HEADER: Final = (
    *("ID", "Name", "Email", "Role", "Track", "Status", "First Name", "Last Name", "Areas of Interest"),
    *("School Name", "Year Level", "Country", "Region", "Availability", "Bio"),
)
COLUMNS: Final = (
    *(*COLUMNS_OF_NAME, "track", "status", "profile__first_name", "profile__last_name"),
    *("profile__areas_of_interest", "profile__school_name", "profile__year_level", "profile__country"),
    *("profile__region", "profile__availability", "profile__bio"),
)
AFTER_AREAS: Final = COLUMNS.index("profile__areas_of_interest") + 1
FETCH_ROWS: Final = 500
# The last two are the admin site's: who was ticked in the list, and by what else it was narrowed.
FILTERS: Final = ("role", "status", "track", "search", "chosen", "others")
WORDS: Final = frozenset({*Role.values, *User.Status.values})


def export_people(people: QuerySet[User], *, by: User, asked: Mapping[str, str]) -> Iterator[str]:
    """Record an export, then return its CSV, read by a server-side cursor as it is sent.

    The record says how many rows, and which role and status; of other filters only that they were
    there, since people may have written themselves what is looked for.
    """
    told: dict[str, Any] = {name: value_told(asked[name]) for name in FILTERS if asked.get(name)}
    audit.record("people_exported", actor=by, changes={"rows": people.count(), "filter": told})
    rows = people.values_list(*COLUMNS).iterator(chunk_size=FETCH_ROWS)
    return csv_text(HEADER, map(cells_of, rows))


def value_told(text: str) -> str | bool:
    """Return a role's or status's own word, and of anything else that it was asked for."""
    return text.lower() if text.lower() in WORDS else True


def cells_of(row: tuple[Any, ...]) -> list[Any]:
    """Return the cells of a row of ``COLUMNS``; a profile that is missing leaves its own empty."""
    *who, track, status, first_name, last_name, areas = row[:AFTER_AREAS]
    person = Somebody(*who)
    return [
        *(person.pk, person.name, person.email, person.role, track, status, first_name, last_name),
        ",".join(map(str, areas or ())),
        *row[AFTER_AREAS:],
    ]
