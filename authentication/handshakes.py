"""Opening a socket: from which page, how often, and by which proof. What is refused here asks no database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from django.conf import settings

from authentication.tickets import redeem_ticket
from authentication.tokens import InvalidToken, read_access
from core.http import source_of_scope
from core.limits import give_back, take_or_fall_back
from core.realtime import FLOODED, UNKNOWN
from core.refusals import TooMany
from core.threads import in_cache, in_database
from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from authentication.models import SignInSession
    from authentication.tokens import Claims

    Application = Callable[[dict[str, Any], Any, Any], Awaitable[Any]]

TOKEN_NAMES: Final = ("token", "access_token")


class OriginGate:
    """Refuses a handshake from a page that CORS would refuse (HTTP 403).

    A missing Origin is let through: programs send none, and only a token authenticates here,
    never a cookie.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        origin = dict(scope["headers"]).get(b"origin")
        if origin is not None and not self.lets_in(origin.decode("latin-1")):
            return await send({"type": "websocket.close", "code": 4403})
        return await self.inner(scope, receive, send)

    @staticmethod
    def lets_in(origin: str) -> bool:
        return settings.CORS_ALLOW_ALL_ORIGINS or origin in settings.CORS_ALLOWED_ORIGINS


class SourceGate:
    """Bounds the handshakes from one source address, whatever they ask for: accepts and closes with 4429.

    While Redis is away each process counts for itself.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if not await wait_for(f"SOCKETS_PER_SOURCE:{source_of_scope(scope)}", settings.SOCKETS_PER_SOURCE):
            return await self.inner(scope, receive, send)
        metrics.throttled.labels("SOCKETS_PER_SOURCE").inc()
        await receive()
        await send({"type": "websocket.accept"})
        return await send({"type": "websocket.close", "code": FLOODED})


class TokenMiddleware:
    """Moves ticket and token out of query and header into ``scope``; blank where there is none."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        scheme, _, credential = header.partition(" ")
        given = [query[name][0] for name in TOKEN_NAMES if query.get(name)]
        if scheme.lower() == "bearer" and credential:
            given.append(credential.strip())
        proof = {"token": given[0] if given else "", "ticket": query.pop("ticket", [""])[0]}
        return await self.inner({**scope, **proof, "query": query, "query_string": b""}, receive, send)


async def unknown_path(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any other path: accepted, then closed with 4404."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": UNKNOWN})


async def token_of(scope: Mapping[str, Any]) -> str:
    """Return the access token of a handshake, or the one for which its ticket stands.

    A ticket decides alone: where it is no good, a token beside it is not looked at. Raises InvalidToken
    (401), Redis's errors, and Resting.
    """
    if not scope["ticket"]:
        return str(scope["token"])
    browser = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
    return await in_cache(redeem_ticket)(scope["ticket"], user_agent=browser)


async def wait_for(bucket: str, rates: str) -> int:
    """Take a place in a budget; return 0, or the seconds to wait for one. No rates are no budget."""
    return await in_cache(take_or_fall_back)(bucket, rates) if rates else 0


async def claims_of(token: str) -> Claims:
    """Return what an access token says, if its person may open one more socket now.

    Raises InvalidToken (401) and TooMany (429), by what the token says alone.
    """
    claims = read_access(token)
    if wait := await wait_for(bucket_of(claims.user_id), settings.SOCKETS_PER_USER):
        metrics.throttled.labels("SOCKETS_PER_USER").inc()
        raise TooMany(wait)
    return claims


async def admit(user_id: int, identify: Callable[[], SignInSession]) -> SignInSession:
    """Return the live session that ``identify`` reads in a thread. Raises InvalidToken (401).

    An ended session's token takes nothing from its person in the end: whoever has stolen one keeps its
    owner off no socket.
    """
    try:
        return await in_database(identify)()
    except InvalidToken:
        await in_cache(give_back)(bucket_of(user_id), settings.SOCKETS_PER_USER)
        raise


def bucket_of(user_id: int) -> str:
    return f"SOCKETS_PER_USER:{user_id}"
