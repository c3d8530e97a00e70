"""Sessions of the admin site, in the database, by keys such as this server gives out.

They end ADMIN_SESSION_HOURS after the sign-in, after ADMIN_IDLE_MINUTES without a request, and with the
browser: whoever walks away from a desk leaves no open door to children's data.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

KEY: Final = re.compile(r"[a-z0-9]{32}", re.ASCII)
PROVED_AT: Final = "proved_at"  # all in seconds since 1970
SEEN_AT: Final = "seen_at"
SEEN_EVERY_SECONDS: Final = 60


class SessionStore(db.SessionStore):
    """Takes whatever else a cookie says for no session, without asking the database.

    Quoted (RFC 2109), a cookie may hold any byte, and PostgreSQL's driver raises ValueError for a NUL. The
    class keeps Django's name: sessions are signed with it.
    """

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None

    def load(self) -> dict[str, Any]:
        """Read a session; one that nobody used for too long is gone. Notes its use once a minute."""
        data: dict[str, Any] = super().load()
        if SESSION_KEY not in data:
            return data
        unused = seconds_now() - data.get(SEEN_AT, 0)
        if unused >= settings.ADMIN_IDLE_MINUTES * 60:
            self.delete(self.session_key)
            self._session_key = None
            return {}
        if unused >= SEEN_EVERY_SECONDS:
            data[SEEN_AT] = seconds_now()
            self.modified = True
        return data

    def get_expire_at_browser_close(self) -> bool:
        """The cookie ends with the browser, whatever the row says."""
        return True


def begin(request: Any, **_: Any) -> None:
    """Start the clocks of a session at sign-in, which is a proof too (``core.admin.proof``)."""
    session, now = request.session, seconds_now()
    session[SEEN_AT] = session[PROVED_AT] = now
    session.set_expiry(timezone.now() + timedelta(hours=settings.ADMIN_SESSION_HOURS))


def seconds_now() -> int:
    return int(timezone.now().timestamp())
