"""Below what is pushed: an event that got lost closes a socket, or shows in an inbox, a few seconds late."""

from __future__ import annotations

from typing import Any, Protocol

from authentication.models import SignInSession
from core.notifications.inbox import standings_of
from core.realtime import UNAUTHENTICATED
from core.sweep import Sweeper, side_by_side
from core.threads import in_database
from users.models import User


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
    """Return which of them are live, of people who may enter; of many, so their ids alone."""
    sessions = SignInSession.objects.live().filter(pk__in=ids, user__in=User.objects.may_enter())
    return set(sessions.order_by().values_list("pk", flat=True))


class WatchedInbox(Protocol):
    """An open socket that shows somebody's inbox."""

    user_id: int
    standing: tuple[int, int]

    async def look(self) -> None: ...


class InboxSweeper(Sweeper[WatchedInbox]):
    """Has each socket look into its inbox where that is not as its client was told: one query."""

    every_seconds = 5.0

    async def look_after(self, sockets: set[WatchedInbox]) -> None:
        standings = await in_database(standings_of)({socket.user_id for socket in sockets})
        await side_by_side(
            socket.look() for socket in sockets if standings.get(socket.user_id, (0, 0)) != socket.standing
        )


inbox_sweeper = InboxSweeper()
