"""Opening a socket: how often, by which proof, and whose it is. What is refused here asks no database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from authentication.requests import session_of
from authentication.tickets import redeem_ticket
from authentication.tokens import InvalidToken, read_access
from core.http import source_of_scope
from core.limits import give_back, take_or_fall_back
from core.realtime import FLOODED
from core.refusals import TooMany
from core.threads import in_cache, in_database
from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from authentication.models import SignInSession

    Application = Callable[[dict[str, Any], Any, Any], Awaitable[Any]]


class SourceGate:
    """Bounds the handshakes from one source address, whatever they ask for: accepts and closes with 4429.

    While Redis is away each process counts for itself.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        bucket = f"SOCKETS_PER_SOURCE:{source_of_scope(scope)}"
        if not await in_cache(take_or_fall_back)(bucket, settings.SOCKETS_PER_SOURCE):
            return await self.inner(scope, receive, send)
        metrics.throttled.labels("SOCKETS_PER_SOURCE").inc()
        await receive()
        await send({"type": "websocket.accept"})
        return await send({"type": "websocket.close", "code": FLOODED})


async def token_of(scope: Mapping[str, Any]) -> str:
    """Return the access token of a handshake, or the one for which its ticket stands.

    A ticket decides alone: where it is no good, a token beside it is not looked at. Raises InvalidToken
    (401), Redis's errors, and Resting.
    """
    if not scope["ticket"]:
        return str(scope["token"])
    browser = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
    return await in_cache(redeem_ticket)(scope["ticket"], user_agent=browser)


async def admit(token: str) -> SignInSession:
    """Return the live session of an access token, if its person may open one more socket now.

    Raises InvalidToken (401) and TooMany (429), the latter by what the token says alone. An ended session's
    token takes nothing from its person in the end: whoever has stolen one keeps its owner off no socket.
    """
    user_id, _ = read_access(token)
    bucket, rates = f"SOCKETS_PER_USER:{user_id}", settings.SOCKETS_PER_USER
    if wait := await in_cache(take_or_fall_back)(bucket, rates):
        metrics.throttled.labels("SOCKETS_PER_USER").inc()
        raise TooMany(wait)
    try:
        return await in_database(session_of)(token)
    except InvalidToken:
        await in_cache(give_back)(bucket, rates)
        raise
