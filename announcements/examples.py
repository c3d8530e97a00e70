"""What bodies and answers about news look like, by the name of their component in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from users.examples import CREATED, LATER

TEXT: Final = "Print it in **A1**. See [the guide](https://example.org/posters)."
NEWS: Final = {
    "id": 91,
    "title": "Poster day",
    "summary": "Bring your poster on Friday.",
    "content": TEXT,
    "contentHtml": (
        '<p>Print it in <strong>A1</strong>. See <a href="https://example.org/posters" '
        'rel="noopener noreferrer nofollow">the guide</a>.</p>'
    ),
    "author": "Sam Reyes",
    "audience": "student",
    "link": None,
    "pinned": True,
    "publishAt": "2027-02-01T09:00:00+11:00",
    "expiresAt": "2031-03-01T09:00:00+11:00",
    "state": "published",
    "acknowledgedAt": None,
    "createdAt": CREATED,
    "updatedAt": LATER,
}

EXAMPLES: Final[dict[str, Any]] = {
    "Announcement": NEWS,
    "AnnouncementCreateRequest": {
        "title": "Poster day",
        "summary": "Bring your poster on Friday.",
        "content": TEXT,
        "audience": "student",
        "pinned": True,
        "publishAt": "2031-02-01T09:00:00+11:00",
        "expiresAt": "2031-03-01T09:00:00+11:00",
        "sendEmail": True,
    },
    "AnnouncementDetail": {**NEWS, "audienceCount": 301, "acknowledgedCount": 118},
    "MailReport": {
        "requestedAt": LATER,
        "recipients": 301,
        "audience": 301,
        "atOnce": 260,
        "daily": 31,
        "off": 10,
        "troubled": 1,
        "sample": {"subject": "Poster day", "text": "Bring your poster on Friday.", "html": "<p>Bring …</p>"},
        "states": {
            "none": 10,
            "waiting": 31,
            "queued": 4,
            "sent": 255,
            "digested": 0,
            "failed": 0,
            "dropped": 0,
            "bounced": 1,
            "complained": 0,
        },
        "isUnderWay": True,
    },
    "Mark": {"id": 91, "acknowledgedAt": LATER},
    "PatchedAnnouncementWriteRequest": {"pinned": False, "expiresAt": "2031-04-01T09:00:00+11:00"},
    "Reader": {
        "id": 34,
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "role": "student",
        "acknowledgedAt": LATER,
    },
    "TestMail": {"to": "sam@example.org"},
    "Unread": {"unread": 2},
}
