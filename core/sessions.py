"""Sessions of the admin site, in the database, by keys such as this server gives out."""

from __future__ import annotations

import re
from typing import Any, Final

from django.contrib.sessions.backends import db

KEY: Final = re.compile(r"[a-z0-9]{32}", re.ASCII)


class SessionStore(db.SessionStore):
    """Takes whatever else a cookie says for no session, without asking the database.

    Quoted (RFC 2109), a cookie may hold any byte, and PostgreSQL's driver raises ValueError for a NUL. The
    class keeps Django's name: sessions are signed with it.
    """

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None
