"""What bodies and answers of the platform look like, by the name of their component in the API document."""

from __future__ import annotations

from typing import Any, Final

FILE: Final = "https://api.example.org/media/1-a2b3c-x9/{}"
NOTICE: Final = {
    "id": 7,
    "kind": "announcement",
    "title": "Poster day",
    "body": "Bring your poster on Friday.",
    "url": "https://app.example.org/#/announcements",
    "createdAt": "2027-02-01T09:00:00Z",
    "readAt": None,
}
PACES: Final = ["now", "daily", "off"]

EXAMPLES: Final[dict[str, Any]] = {
    "AuditEvent": {
        "id": 5120,
        "at": "2027-02-03T04:12:09.120000Z",
        "action": "status_changed",
        "actor": {"id": 2, "name": "Sam Reyes"},
        "object": {"type": "users.user", "id": "34", "name": "Ada Lovelace"},
        "changes": {"status": ["pending", "active"]},
        "requestId": "8d1f0c52b7a94e6f",
        "address": "203.0.113.7",
    },
    "CoverLink": {"coverImage": FILE.format("events/covers/3f0c9a.webp")},
    "Health": {
        "status": "healthy",
        "services": {
            "database": "connected",
            "redis": "connected",
            "storage": "connected",
            "mail": "connected",
            "tasks": "on_time",
            "migrations": "applied",
        },
        "environment": {"profile": "production"},
    },
    "Live": {"status": "alive"},
    "Notice": NOTICE,
    "PatchedPreferencesWriteRequest": {
        "language": "pt-br",
        "timeZone": "America/Sao_Paulo",
        "quietFrom": "21:00",
        "quietUntil": "07:00",
        "kinds": {"announcement": "daily"},
    },
    "Preferences": {
        "language": "pt-br",
        "timeZone": "America/Sao_Paulo",
        "quietFrom": "21:00",
        "quietUntil": "07:00",
        "languages": [{"code": "en-au", "label": "English"}, {"code": "pt-br", "label": "Português"}],
        "kinds": [
            {
                "kind": "announcement",
                "label": "Announcements",
                "pace": "daily",
                "paces": PACES,
                "isMandatory": False,
                "usual": "now",
            }
        ],
    },
    "ReadRequest": {"ids": [7, 9]},
    "UnreadNotices": {"unread": 3},
    "Upload": {
        "url": FILE.format("uploads/3f0c9a.pdf"),
        "filename": "plan.pdf",
        "size": 20481,
        "mimeType": "application/pdf",
    },
}


def page_of(row: Any) -> dict[str, Any]:
    """Return the only page of a list with one row."""
    return {"count": 1, "next": None, "previous": None, "results": [row]}
