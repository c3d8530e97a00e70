"""A person's own document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks.peer.access import full_name

if TYPE_CHECKING:
    from asyncpg import Record

    from benchmarks.peer.access import Database, Viewer

ACCOUNT: Final = ("id", "email", "username", "role", "status", "track")
TEXTS: Final = {
    "first_name": "firstName",
    "last_name": "lastName",
    "school_name": "schoolName",
    "guardian_email": "guardianEmail",
    "supervisor_email": "supervisorEmail",
    "country": "country",
    "region": "region",
    "availability": "availability",
    "bio": "bio",
}
EMPTY: Final[dict[str, Any]] = {
    **dict.fromkeys(TEXTS.values(), ""),
    "areasOfInterest": [],
    "controlledInterests": [],
    "yearLevel": None,
    "joinPermissionGranted": False,
}
CHECKED: Final = """
    s.user_id AS checked, s.organization, s.phone_number, s.wwcc_number, s.wwcc_expiry, s.wwcc_verified,
    s.created_at AS check_made, s.updated_at AS check_changed
"""
PROFILES: Final = f"""
    SELECT p.user_id AS told, {", ".join(f"p.{name}" for name in TEXTS)}, p.areas_of_interest,
           p.controlled_interests, p.year_level, p.join_permission_granted, {CHECKED}
    FROM users u
    LEFT JOIN user_profiles p ON p.user_id = u.id
    LEFT JOIN supervisor_profiles s ON s.user_id = u.id
    WHERE u.id = $1
"""  # noqa: S608 - our own words
LINKS: Final = f"""
    SELECT l.id AS link, l.relationship_type, l.join_permission_granted, l.join_permission_granted_at,
           l.notes, l.student_id = $1 AS is_students,
           u.id, u.email, u.role, u.track, u.status, u.first_name, u.last_name, {CHECKED}
    FROM student_supervisors l
    JOIN users u ON u.id = CASE WHEN l.student_id = $1 THEN l.supervisor_id ELSE l.student_id END
    LEFT JOIN supervisor_profiles s ON s.user_id = u.id
    WHERE l.student_id = $1 OR l.supervisor_id = $1
    ORDER BY l.created_at, l.id
"""  # noqa: S608 - our own words


async def own_document(viewer: Viewer, database: Database) -> dict[str, Any]:
    """Return account, profile, check, and links in both directions."""
    told = await database.fetchrow(PROFILES, viewer.id)
    links = await database.fetch(LINKS, viewer.id)
    account = {name: viewer.row[name] for name in ACCOUNT}
    return {
        **account,
        "name": full_name(viewer.row) or viewer.row["email"],
        "profile": profile_of(told) if told and told["told"] else EMPTY,
        "supervisorProfile": check_of(told) if told else None,
        "supervisors": [link_of(row, "supervisor", viewer) for row in links if row["is_students"]],
        "supervisees": [link_of(row, "student", viewer) for row in links if not row["is_students"]],
    }


def profile_of(row: Record) -> dict[str, Any]:
    return {
        **{shown: row[name] for name, shown in TEXTS.items()},
        "areasOfInterest": row["areas_of_interest"],
        "controlledInterests": row["controlled_interests"],
        "yearLevel": row["year_level"],
        "joinPermissionGranted": row["join_permission_granted"],
    }


def check_of(row: Record) -> dict[str, Any] | None:
    """Return an adult's organisation and check; None where there is none."""
    if row["checked"] is None:
        return None
    return {
        "organization": row["organization"],
        "phoneNumber": row["phone_number"],
        "wwccNumber": row["wwcc_number"],
        "wwccExpiry": row["wwcc_expiry"],
        "wwccVerified": row["wwcc_verified"],
        "createdAt": row["check_made"],
        "updatedAt": row["check_changed"],
    }


def link_of(row: Record, end: str, viewer: Viewer) -> dict[str, Any]:
    """Return a link with the person at its other end, of whom admins alone read address and check."""
    return {
        "id": row["link"],
        "relationshipType": row["relationship_type"],
        "joinPermissionGranted": row["join_permission_granted"],
        "joinPermissionGrantedAt": row["join_permission_granted_at"],
        "notes": row["notes"],
        end: {
            "id": row["id"],
            "email": row["email"] if viewer.is_admin else "",
            "role": row["role"],
            "track": row["track"],
            "status": row["status"],
            "name": viewer.name_of(row["id"], row),
            "supervisorProfile": check_of(row) if viewer.is_admin else None,
        },
    }
