"""Who asks, and which group they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jwt

from benchmarks.peer.answers import BAD_TOKEN, MISSING, NO_TOKEN, OUTSIDE, Refused
from benchmarks.peer.environment import SECRET_KEYS

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy
    from starlette.requests import Request

    Database = PoolConnectionProxy[Record]

LONGEST_TOKEN: Final = 4_096
SESSION: Final = """
    SELECT u.id, u.email, u.username, u.first_name, u.last_name, u.role, u.track, u.status, u.is_superuser
    FROM authentication_signinsession s JOIN users u ON u.id = s.user_id
    WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.expires_at > now()
      AND u.is_active AND u.status <> 'inactive'
"""
# $2 is the person, $3 whether they are an admin, $4 whether a supervisor.
SEES: Final = """(
    $3::boolean OR g.mentor_id = $2
    OR EXISTS (SELECT FROM groups_groupmember m WHERE m.group_id = g.id AND m.user_id = $2)
    OR ($4::boolean AND EXISTS (
        SELECT FROM student_supervisors l JOIN groups_groupmember m ON m.user_id = l.student_id
        WHERE l.supervisor_id = $2 AND m.group_id = g.id))
)"""
CONVERSATION: Final = f"""
    SELECT g.id, g.room, g.mentor_id, coalesce(c.last_revision, 0) AS revision, {SEES} AS sees
    FROM groups_group g LEFT JOIN chat_conversation c ON c.group_id = g.id
    WHERE g.id = $1 AND g.archived_at IS NULL
"""  # noqa: S608 - our own words


class Viewer(NamedTuple):
    """Whoever asks: their row, and what they are."""

    row: Record
    id: int
    is_admin: bool
    is_supervisor: bool

    def name_of(self, user_id: int, row: Record) -> str:
        """Return the name of somebody that the viewer may read."""
        told = self.is_admin or user_id == self.id
        return full_name(row) or (row["email"] if told else without_name(user_id, row))

    def moderates(self, group: Record) -> bool:
        """Tell whether the viewer judges the conversation of a group that they see."""
        if self.is_admin or self.is_supervisor:
            return True
        return bool(group["mentor_id"] == self.id and self.row["role"] != "student")


def full_name(row: Record) -> str:
    return f"{row['first_name']} {row['last_name']}".strip()


def without_name(user_id: int, row: Record) -> str:
    return f"{row['role'].capitalize()} {user_id}"


async def viewer_of(request: Request, database: Database) -> Viewer:
    """Return whoever sent a request. Raises Refused (401)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(*NO_TOKEN)
    claims = claims_of(token.strip())
    session, user = claims.get("sid"), claims.get("user_id")
    if claims.get("token_type") != "access" or type(session) is not int or type(user) is not int:
        raise Refused(*BAD_TOKEN)
    row = await database.fetchrow(SESSION, session, user)
    if row is None:
        raise Refused(*BAD_TOKEN)
    is_admin = row["is_superuser"] or row["role"] == "admin"
    return Viewer(row, row["id"], is_admin, row["role"] == "supervisor")


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token of ours says, signed by today's key or by one that it replaced."""
    for key in SECRET_KEYS if len(token) <= LONGEST_TOKEN else ():
        try:
            claims: dict[str, Any] = jwt.decode(token, key, ["HS256"], {"require": ["exp", "jti"]})
        except jwt.InvalidTokenError:
            continue
        return claims
    raise Refused(*BAD_TOKEN)


async def conversation_of(viewer: Viewer, group_id: str, database: Database) -> Record:
    """Return the group of a conversation. Raises Refused: 404 there is none, 403 not for the viewer."""
    row = await database.fetchrow(CONVERSATION, group_id, viewer.id, viewer.is_admin, viewer.is_supervisor)
    if row is None:
        raise Refused(*MISSING)
    if not row["sees"]:
        raise Refused(*OUTSIDE)
    return row
