"""People as a table for spreadsheet programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core import audit
from core.roles import Role
from core.spreadsheets import csv_text
from users.models import User, UserProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import QuerySet

HEADER: Final = (
    *("ID", "Name", "Email", "Role", "Track", "Status", "First Name", "Last Name", "Areas of Interest"),
    *("School Name", "Year Level", "Country", "Region", "Availability", "Bio"),
)
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
    rows = people.select_related("profile").iterator(chunk_size=FETCH_ROWS)
    return csv_text(HEADER, (cells_of(person) for person in rows))


def value_told(text: str) -> str | bool:
    """Return a role's or status's own word, and of anything else that it was asked for."""
    return text.lower() if text.lower() in WORDS else True


def cells_of(person: User) -> list[Any]:
    profile = getattr(person, "profile", None) or UserProfile()
    return [
        *(person.pk, person.name, person.email, person.role, person.track, person.status),
        *(profile.first_name, profile.last_name, ",".join(map(str, profile.areas_of_interest))),
        *(profile.school_name, profile.year_level, profile.country, profile.region),
        *(profile.availability, profile.bio),
    ]
