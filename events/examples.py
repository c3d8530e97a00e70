"""What bodies and answers about events look like, by the name of their component in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from users.examples import CREATED, LATER

SYMPOSIUM: Final = {
    "title": "Symposium",
    "description": "Teams show what they made.",
    "startAt": "2031-05-06T18:00:00+10:00",
    "endAt": "2031-05-06T20:00:00+10:00",
    "timezone": "Australia/Brisbane",
    "location": "State Library",
    "type": "in-person",
    "capacity": 120,
}
STUDENT: Final = {
    "userId": 34,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "role": "student",
    "track": "AUS-NSW",
}
FEED: Final = "https://api.example.org/calendar/q3V0bM7cX2.ics"

EXAMPLES: Final[dict[str, Any]] = {
    "AttendanceRequest": {"userId": 34, "attended": True},
    "Calendar": {"url": FEED, "createdAt": LATER},
    "Done": {"success": True, "message": "Registered."},
    "Event": {
        **SYMPOSIUM,
        "id": 81,
        "longDescription": "",
        "date": "2031-05-06",
        "time": "18:00",
        "startAt": "2031-05-06T08:00:00Z",
        "endAt": "2031-05-06T10:00:00Z",
        "coverImage": None,
        "registerLink": "",
        "createdAt": CREATED,
        "updatedAt": LATER,
        "isRegistered": True,
        "registrationCount": 41,
        "isWaitlisted": False,
        "waitlistCount": 0,
        "spotsLeft": 79,
    },
    "NewEventRequest": SYMPOSIUM,
    "PatchedEventWriteRequest": {"location": "State Library, second floor", "capacity": 90},
    "RosterRow": {**STUDENT, "registeredAt": LATER, "attendedAt": None},
    "WaitingRow": {**STUDENT, "waitingSince": LATER},
}
