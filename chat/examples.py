"""What bodies and answers of the chat look like, by the name of their component in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from users.examples import ADA, GRACE, LATER

MESSAGE: Final = {
    "id": 502,
    "author": ADA,
    "text": "Thank you! @Grace Hopper",
    "timestamp": LATER,
    "attachments": [],
    "isDeleted": False,
    "deletedAt": None,
    "deletedBy": None,
    "moderation": {"status": "approved", "note": None, "moderatedAt": None, "moderatedBy": None},
    "editedAt": None,
    "seq": 2,
    "revision": 2,
    "clientId": "6f9c1d3e-8f0a-4b7e-9a52-5a3c1a0a7f11",
    "replyTo": {"id": 501, "author": GRACE, "text": "Well done with the plates!", "isDeleted": False},
    "reactions": [{"sign": "🎉", "userIds": [12]}],
    "mentions": [12],
}
OWN_REPORT: Final = {"id": 151, "category": "spam", "note": "The same link again.", "createdAt": LATER}

EXAMPLES: Final[dict[str, Any]] = {
    "FoundMessage": {**MESSAGE, "groupId": "BTF046"},
    "History": {"messages": [MESSAGE], "hasMore": False, "revision": 2},
    "Message": MESSAGE,
    "NewMessageRequest": {
        "text": "Thank you! @Grace Hopper",
        "clientId": "6f9c1d3e-8f0a-4b7e-9a52-5a3c1a0a7f11",
        "replyTo": 501,
    },
    "NewReportRequest": {"category": "spam", "note": "The same link again."},
    "OwnReport": OWN_REPORT,
    "PatchedMessageChangeRequest": {"text": "Thank you so much!"},
    "PatchedSettleRequest": {"resolved": True},
    "ReadCursor": {"user": ADA, "seq": 2, "readAt": LATER},
    "ReadUpToRequest": {"seq": 2},
    "Readers": {"readers": [{"user": ADA, "seq": 2, "readAt": LATER}]},
    "Report": {
        **OWN_REPORT,
        "resolvedAt": None,
        "reporter": ADA,
        "message": {
            "id": 503,
            "groupId": "BTF046",
            "author": {"id": 35, "name": "Alan Turing"},
            "text": "Buy now!",
            "timestamp": LATER,
            "isDeleted": False,
        },
        "reportedText": "Buy now!",
    },
}
