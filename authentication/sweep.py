"""Below pushed revocation: an event that got lost closes its socket a few seconds late."""

from __future__ import annotations

from typing import Any, Protocol

from authentication.models import SignInSession
from core.realtime import UNAUTHENTICATED
from core.sweep import Sweeper, side_by_side
from core.threads import in_database


class Watched(Protocol):
    """An open socket of one session."""

    session: SignInSession | None

    async def close(self, code: Any = ...) -> None: ...


class SessionSweeper(Sweeper[Watched]):
    """Closes every socket whose session has ended, or whose person may not enter any more: one query."""

    every_seconds = 3.0

    async def look_after(self, sockets: set[Watched]) -> None:
        served = {socket: socket.session.pk for socket in sockets if socket.session}
        live = await in_database(live_sessions)(set(served.values()))
        await side_by_side(
            socket.close(UNAUTHENTICATED) for socket, session in served.items() if session not in live
        )


sweeper = SessionSweeper()


def live_sessions(ids: set[int]) -> set[int]:
    sessions = SignInSession.objects.live().filter(pk__in=ids).select_related("user")
    return {session.pk for session in sessions if session.user.may_enter}
