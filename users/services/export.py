"""People as a table for spreadsheet programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core import audit
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
FILTERS_TOLD: Final = ("role", "status", "track")


def export_people(people: QuerySet[User], *, by: User, asked: Mapping[str, str]) -> Iterator[str]:
    """Record an export, then return its CSV, read by a server-side cursor as it is sent.

    The record says how many rows, and which filter; of a search only that there was one, since it
    may name a person.
    """
    told: dict[str, Any] = {name: asked[name][:50] for name in FILTERS_TOLD if asked.get(name)}
    told |= {"search": True} if asked.get("search") else {}
    audit.record("people_exported", actor=by, changes={"rows": people.count(), "filter": told})
    rows = people.select_related("profile").iterator(chunk_size=FETCH_ROWS)
    return csv_text(HEADER, (cells_of(person) for person in rows))


def cells_of(person: User) -> list[Any]:
    profile = getattr(person, "profile", None) or UserProfile()
    return [
        *(person.pk, person.name, person.email, person.role, person.track, person.status),
        *(profile.first_name, profile.last_name, ",".join(map(str, profile.areas_of_interest))),
        *(profile.school_name, profile.year_level, profile.country, profile.region),
        *(profile.availability, profile.bio),
    ]
