"""What bodies and answers of signing in look like, by the name of their component in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from users.examples import CREATED, LATER, USER

# Neither is one: real ones are JSON Web Tokens, of some 400 characters.
TOKENS: Final = {"token": "an-access-token", "refresh_token": "a-refresh-token"}

EXAMPLES: Final[dict[str, Any]] = {
    "CodeRequest": {"email": "ada@example.org", "code": "417093"},
    "LinkTokenRequest": {"token": "the-token-in-the-mailed-link"},
    "LogoutRequest": {"refresh_token": "a-refresh-token"},
    "MagicLinkRequest": {"email": "ada@example.org"},
    "RefreshRequest": {"refresh_token": "a-refresh-token"},
    "Sent": {
        "success": True,
        "message": "If this address is registered, a mail with a link and a code is on its way.",
    },
    "Session": {
        "id": 141,
        "device": "Firefox on Windows",
        "createdAt": CREATED,
        "lastSeenAt": LATER,
        "expiresAt": "2027-01-19T02:30:00Z",
        "current": True,
    },
    "SignedIn": {**TOKENS, "user": USER},
    "Ticket": {"ticket": "q3V0bM7cX2", "expiresIn": 30},
    "TokenPair": TOKENS,
}
