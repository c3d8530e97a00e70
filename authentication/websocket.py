"""Sockets: whose, until when, and the base of every consumer."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import orjson

from authentication import seats
from authentication.handshakes import admit, claims_of, token_of
from authentication.requests import session_by
from authentication.sweep import sweeper
from authentication.tokens import InvalidToken
from core.breaker import Resting
from core.consumers import OneByOneConsumer
from core.exceptions import STORE_ERRORS, store_of
from core.patience import within
from core.realtime import FLOODED, TRY_LATER, UNAUTHENTICATED, room_of_user
from core.refusals import TooMany
from core.watching import metrics

if TYPE_CHECKING:
    from authentication.models import SignInSession
    from authentication.tokens import Claims

logger = logging.getLogger(__name__)

LARGEST_FRAME: Final = 64 * 1024
PATIENCE_SECONDS: Final = 10.0
CLOSING_SECONDS: Final = 3.0
# What uvicorn says of a socket that it has closed itself, over a text that is no UTF-8.
CLOSED_BY_SERVER: Final = "after sending 'websocket.close'"


class ClientGone(Exception):
    """The client closed while it was being told something."""


def noticing(send: Any) -> Any:
    """Return a ``send`` that raises ClientGone: a server's own error looks like that of a store."""
    has_closed = False

    async def send_or_notice(message: dict[str, Any]) -> None:
        nonlocal has_closed
        try:
            await send(message)
        except OSError as error:
            raise ClientGone from error
        except RuntimeError as error:
            if has_closed or CLOSED_BY_SERVER not in str(error):
                raise
            raise ClientGone from error
        has_closed = has_closed or message["type"] == "websocket.close"

    return send_or_notice


class SignedInConsumer(OneByOneConsumer):
    """One socket of one signed-in person: opens with a frame, answers pings, ends with its session.

    Every refusal accepts first, so that the client sees the close code. A subclass adds
    ``opened`` (after authentication) and ``on_<action>`` methods.
    """

    kind = "session"
    session: SignInSession | None = None
    claims: Claims
    seat_of: int | None = None
    is_closing = False
    expiry: asyncio.Task[None]
    serving: asyncio.Task[Any] | None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket. A store that fails, at whatever moment, closes it with 1013: try again later."""
        self.rooms: list[str] = []
        self.serving = asyncio.current_task()
        send = noticing(send)
        try:
            await super().__call__(scope, receive, send)
        except ClientGone:
            pass
        except (*STORE_ERRORS, Resting, OSError) as error:
            logger.warning("socket_refused", extra={"store_error": type(error).__name__})
            metrics.socket_store_failures.labels(store_of(error)).inc()
            await self.turn_away(send)
        except asyncio.CancelledError:
            # Given up by ``close``, or the server ends.
            if not self.is_closing:
                raise
        finally:
            await self.leave()

    async def turn_away(self, send: Any) -> None:
        if self.is_closing:
            return
        with suppress(ClientGone):
            if self.session is None:
                await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": TRY_LATER})
            metrics.socket_closed(TRY_LATER)

    async def leave(self) -> None:
        """Give back whatever the socket holds, however it ended."""
        self.serving = None
        if self.session is not None:
            sweeper.unwatch(self)
            self.expiry.cancel()
            # It ends with a traceback, in which this socket is: each would keep the other.
            del self.expiry
            metrics.open_sockets.labels(self.kind).dec()
        if self.seat_of is not None:
            seats.leave(self.seat_of)
        try:
            await self.leave_rooms()
        finally:
            # The layer does so only of one that waits for it at this moment.
            self.channel_layer.channels.pop(self.channel_name, None)

    async def leave_rooms(self) -> None:
        while self.rooms:
            with suppress(*STORE_ERRORS, OSError):
                await self.channel_layer.group_discard(self.rooms.pop(), self.channel_name)

    async def connect(self) -> None:
        try:
            self.scope["token"] = await token_of(self.scope)
            self.claims = await claims_of(self.scope["token"])
            user_id = self.claims.user_id
            # Before their rights are read: what is said of them later is heard.
            await self.join(room_of_user(user_id))
            await self.join_more()
            session = await admit(user_id, self.identify)
        except InvalidToken:
            await self.accept_to_close(UNAUTHENTICATED)
            return
        except TooMany:
            await self.accept_to_close(FLOODED)
            return
        if not seats.take(user_id):
            await self.accept_to_close(FLOODED)
            return
        self.seat_of = user_id
        await self.accept()
        self.session, self.user = session, session.user
        metrics.open_sockets.labels(self.kind).inc()
        self.expiry = asyncio.create_task(self.close_at(self.claims.expires_at))
        sweeper.watch(self)
        await self.opened()

    async def join_more(self) -> None:
        """Join what else must be heard from before the session is read; nothing, unless a subclass does."""

    def identify(self) -> SignInSession:
        """Return the live session, in a thread; a subclass reads more beside it. Raises InvalidToken."""
        return session_by(self.claims)

    async def join(self, room: str) -> None:
        """Hear what is said in a room, until the socket ends."""
        self.rooms.append(room)
        await self.channel_layer.group_add(room, self.channel_name)

    async def accept_to_close(self, code: int) -> None:
        """Refuse in a way that lets the client see the code."""
        await self.accept()
        await self.close(code)
        await self.leave_rooms()

    async def opened(self) -> None:
        """Say that the socket is open."""
        await self.reply({"type": "connection.established"})

    async def close_at(self, moment: float) -> None:
        """Close when the access token runs out: a client comes back with the new one."""
        await asyncio.sleep(max(0.0, moment - time.time()))
        await self.close(UNAUTHENTICATED)

    async def close(self, code: Any = None, reason: str | None = None) -> None:
        """Close, once; let go of somebody who does not even read that.

        A server puts the close frame behind what waits already, and so would wait for as long.
        """
        if self.is_closing:
            return
        self.is_closing = True
        metrics.socket_closed(code)
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await super().close(code, reason)
        except TimeoutError:
            if self.serving is not None:
                self.serving.cancel()

    async def disconnect(self, code: int) -> None:
        if not self.is_closing:
            metrics.socket_closed(code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Dispatch one frame. Nothing that a client sends closes its socket."""
        if self.session is None or self.is_closing:
            return
        if len(bytes_data or (text_data or "").encode()) > LARGEST_FRAME:
            await self.refuse("frame_too_large", "A frame may have at most 64 KiB.")
            return
        frame = self.frame_of(text_data)
        if frame is None:
            await self.refuse("invalid_payload", "A frame is one JSON object, as text.")
            return
        action = frame.get("action", frame.get("type"))
        handler = (
            getattr(self, f"on_{action}", None) if isinstance(action, str) and action.isidentifier() else None
        )
        await (handler(frame) if handler else self.refuse("unknown_action", "This action is not known here."))

    @staticmethod
    def frame_of(text: str | None) -> dict[str, Any] | None:
        try:
            frame = orjson.loads(text or "")
        except orjson.JSONDecodeError:
            return None
        return frame if isinstance(frame, dict) else None

    async def on_ping(self, frame: dict[str, Any]) -> None:
        await self.reply({"type": "pong"})

    async def refuse(self, slug: str, sentence: str, **more: Any) -> None:
        await self.reply(
            {"type": "error", "error": slug, "detail": sentence, "payload": {"detail": sentence}, **more}
        )

    async def reply(self, frame: dict[str, Any]) -> None:
        await self.tell(orjson.dumps(frame).decode())

    async def tell(self, text: str) -> None:
        """Send, or give up on somebody who does not read: their client comes back, and catches up."""
        if self.is_closing:
            return
        try:
            await within(PATIENCE_SECONDS, self.base_send({"type": "websocket.send", "text": text}))
        except TimeoutError:
            await self.close(TRY_LATER)

    async def socket_close(self, event: dict[str, Any]) -> None:
        """Close on ``core.realtime.close_sockets``, if it means this session or all of them."""
        if self.session is not None and event["session"] in {None, self.session.pk}:
            await self.close(event["code"])

    async def socket_recheck(self, event: dict[str, Any]) -> None:
        """Hear ``core.realtime.recheck_sockets``. This socket needs its session alone; others ask again."""


class SessionConsumer(SignedInConsumer):
    """``/ws/session/``: tells a client at once when its session has ended (4401)."""
