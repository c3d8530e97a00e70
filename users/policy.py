"""Who may write which field of a person's document: one table, asked by every door."""

from __future__ import annotations

from enum import Flag, auto
from typing import Final


class Writer(Flag):
    """In which position somebody writes."""

    NOBODY = 0
    OWNER = auto()
    ADMIN = auto()


BOTH: Final = Writer.OWNER | Writer.ADMIN

FIELD_POLICY: Final[dict[str, dict[str, Writer]]] = {
    "account": {
        "id": Writer.NOBODY,
        "email": Writer.ADMIN,
        "username": Writer.NOBODY,
        "name": Writer.NOBODY,
        "role": Writer.ADMIN,
        "status": Writer.ADMIN,
        "track": BOTH,
    },
    "profile": {
        "firstName": BOTH,
        "lastName": BOTH,
        "areasOfInterest": BOTH,
        "controlledInterests": BOTH,
        "schoolName": BOTH,
        "yearLevel": BOTH,
        "guardianEmail": BOTH,
        "supervisorEmail": BOTH,
        "country": BOTH,
        "region": BOTH,
        "availability": BOTH,
        "bio": BOTH,
        "joinPermissionGranted": BOTH,
    },
    "supervisorProfile": {
        "organization": BOTH,
        "phoneNumber": BOTH,
        "wwccNumber": BOTH,
        "wwccExpiry": BOTH,
        "wwccVerified": Writer.ADMIN,
        "createdAt": Writer.NOBODY,
        "updatedAt": Writer.NOBODY,
    },
}


def fields_of(section: str) -> list[str]:
    """Return every field of a section, in the order of the wire."""
    return list(FIELD_POLICY[section])


def read_only_for(section: str, writer: Writer) -> list[str]:
    """Return what that writer may only read; a write to it is ignored."""
    return [name for name, writers in FIELD_POLICY[section].items() if writer not in writers]
