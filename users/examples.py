"""What bodies and answers about people look like, by the name of their component in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

CREATED: Final = "2026-11-25T13:43:11.805640Z"
LATER: Final = "2027-01-12T02:30:00Z"
ADA: Final = {"id": 34, "name": "Ada Lovelace"}
GRACE: Final = {"id": 12, "name": "Grace Hopper"}
SAM: Final = {"id": 2, "name": "Sam Reyes"}
PROFILE: Final = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "areasOfInterest": ["genetics"],
    "controlledInterests": ["genetics"],
    "schoolName": "Riverside High",
    "yearLevel": 10,
    "guardianEmail": "anne@example.org",
    "supervisorEmail": "lin@example.org",
    "country": "Australia",
    "region": "NSW",
    "availability": "Tuesday afternoons",
    "bio": "I grow things in jars.",
    "joinPermissionGranted": True,
}
OFFICE: Final = {
    "organization": "Riverside High",
    "phoneNumber": "+61 2 5550 0134",
    "wwccNumber": "WWC1234567E",
    "wwccExpiry": "2029-06-30",
    "wwccVerified": True,
    "createdAt": CREATED,
    "updatedAt": LATER,
}
STUDENT: Final = {
    "id": 34,
    "email": "ada@example.org",
    "role": "student",
    "track": "AUS-NSW",
    "status": "active",
    "name": "Ada Lovelace",
    "supervisorProfile": None,
}
SUPERVISOR: Final = {
    "id": 27,
    "email": "lin@example.org",
    "role": "supervisor",
    "track": "AUS-NSW",
    "status": "active",
    "name": "Lin Tan",
    "supervisorProfile": OFFICE,
}
BOND: Final = {
    "id": 131,
    "relationshipType": "supervisor",
    "joinPermissionGranted": True,
    "joinPermissionGrantedAt": LATER,
    "notes": "Teaches her biology.",
}
LINK: Final = {
    **BOND,
    "student": STUDENT,
    "supervisor": SUPERVISOR,
    "createdAt": CREATED,
    "updatedAt": LATER,
}
USER: Final = {
    "id": 34,
    "email": "ada@example.org",
    "username": "ada@example.org",
    "name": "Ada Lovelace",
    "role": "student",
    "status": "active",
    "track": "AUS-NSW",
    "profile": PROFILE,
    "supervisorProfile": None,
    "supervisors": [{**BOND, "supervisor": SUPERVISOR}],
    "supervisees": [],
}
ROW: Final = {
    "id": 34,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "role": "student",
    "track": "AUS-NSW",
    "status": "active",
}
NEW_ACCOUNT: Final = {
    "email": "mary@example.org",
    "role": "student",
    "status": "pending",
    "track": "AUS-NSW",
    "profile": {"firstName": "Mary", "lastName": "Anning", "yearLevel": 10},
}
NEW_LINK: Final = {
    "studentId": 35,
    "supervisorId": 27,
    "relationshipType": "supervisor",
    "joinPermissionGranted": True,
    "notes": "Teaches him physics.",
}
IMPORT_ROW: Final = {
    "id": 121,
    "filename": "people.csv",
    "state": "checked",
    "createdAt": LATER,
    "committedAt": None,
    "keptUntil": "2027-02-11T02:30:00Z",
    "changeRole": False,
    "changeStatus": True,
    "changeAddress": False,
    "ignoredColumns": ["Shirt size"],
    "counts": {"total": 120, "create": 87, "update": 30, "unchanged": 2, "rejected": 1},
    "progress": {"waiting": 117, "written": 0, "undone": 0, "kept": 0},
}

EXAMPLES: Final[dict[str, Any]] = {
    "AccountRequest": NEW_ACCOUNT,
    "ArchiveOnItsWay": {
        "state": "building",
        "requestedAt": LATER,
        "detail": "It is being put together. Ask again in a minute.",
    },
    "FilterChoices": {
        "tracks": ["AUS-NSW", "Brazil"],
        "roles": ["student", "mentor", "supervisor", "admin"],
        "statuses": ["active", "inactive", "pending"],
    },
    "Import": {
        **IMPORT_ROW,
        "faults": [{"line": 17, "field": "email", "reason": "Enter a valid email address."}],
        "faultsTotal": 1,
        "remarks": [],
        "remarksTotal": 0,
    },
    "ImportRow": IMPORT_ROW,
    "Link": LINK,
    "LinkWriteRequest": NEW_LINK,
    "OwnAccountRequest": {
        "track": "AUS-NSW",
        "profile": {"firstName": "Ada", "yearLevel": 10, "areasOfInterest": ["genetics"]},
    },
    "PatchedAccountRequest": {"track": "AUS-QLD", "profile": {"schoolName": "Hilltop College"}},
    "PatchedJoinPermissionRequest": {"joinPermissionGranted": True},
    "PatchedLinkWriteRequest": {"notes": "Teaches her chemistry as well."},
    "PatchedOwnAccountRequest": {"profile": {"bio": "I grow things in jars."}},
    "PatchedStatusRequest": {"status": "active"},
    "PersonRow": ROW,
    "ProgrammeNumbers": {
        "totalUsers": 412,
        "activeGroups": 61,
        "mentors": {"total": 58, "active": 51, "pending": 7},
        "students": {"total": 301, "pending": 22},
    },
    "StatusChanged": {"success": True, "user": ROW},
    "StatusRequest": {"status": "active"},
    "User": USER,
}
