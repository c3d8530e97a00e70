"""Somebody's inbox over a socket: what comes, as it comes, and the number on the badge."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from rest_framework.exceptions import ValidationError

from authentication.requests import session_of
from authentication.sweep import inbox_sweeper
from authentication.websocket import SignedInConsumer
from core.converters import IdConverter
from core.exceptions import first_sentence
from core.inbox.serializers import NoticeSerializer, ReadSerializer
from core.limits import pour
from core.notifications.inbox import WINDOW, mark_read, news_of
from core.realtime import UNAUTHENTICATED, room_of_inbox
from core.refusals import SignedOut, TooMany
from core.threads import in_database

if TYPE_CHECKING:
    from core.notifications.inbox import News

ID: Final = re.compile("[0-9]{1,18}")
FRAME: Final = {"action", "type"}
FRAMES_BURST: Final = 30
FRAMES_PER_SECOND: Final = 2.0


class InboxConsumer(SignedInConsumer):
    """``/ws/notifications/``: the bell says nothing; each time the inbox is read, as it is over HTTP.

    ``known`` are the newest rows, of which the client has been told or which were there when it came;
    nothing up to ``floor``, where those begin, is told. ``standing`` is what it was told last: how much is
    unread, and the newest of it.
    """

    kind = "notifications"
    known: frozenset[int] = frozenset()
    floor = 0
    standing = (0, 0)

    async def opened(self) -> None:
        """Join the inbox's room, then say how much is unread, and what came ``?after=`` an id."""
        self.turn = asyncio.Lock()
        await self.join(room_of_inbox(self.user_id))
        after = self.scope["query"].get("after", [""])[0]
        news = await in_database(news_of)(self.user, after=IdConverter.LARGEST, known=())
        self.keep(news)
        if ID.fullmatch(after):
            # For this look alone: a row with a lower id may be committed later.
            self.known = frozenset(one for one in news.ids if one <= int(after))
        self.standing = (news.unread, news.newest)
        await self.reply({"type": "connection.established", "unread": news.unread})
        inbox_sweeper.watch(self)
        await self.look()

    @property
    def user_id(self) -> int:
        return int(self.user.pk)

    async def leave(self) -> None:
        inbox_sweeper.unwatch(self)
        await super().leave()

    async def inbox_rang(self, event: dict[str, Any]) -> None:
        """Hear ``core.notifications.inbox.ring_inboxes``."""
        await self.look()

    async def look(self) -> None:
        """Tell what has come since, or, where nothing has, how much is unread if that has changed."""
        async with self.turn:
            news, rows = await in_database(self.read)()
            self.keep(news)
            unread_before, self.standing = self.standing[0], (news.unread, news.newest)
            for row in rows:
                await self.reply({"type": "notification", "payload": row, "unread": news.unread})
            if not rows and news.unread != unread_before:
                await self.reply({"type": "notifications.read", "unread": news.unread})

    def read(self) -> tuple[News, list[dict[str, Any]]]:
        news = news_of(self.user, after=self.floor, known=self.known)
        return news, [dict(NoticeSerializer(row).data) for row in news.rows]

    def keep(self, news: News) -> None:
        """Remember what need not be told; where the newest do not hold all, what is older is not news."""
        self.known = frozenset(news.ids)
        if len(news.ids) == WINDOW:
            self.floor = max(self.floor, news.ids[-1] - 1)

    async def on_mark_read(self, frame: dict[str, Any]) -> None:
        """Mark rows as read by their ``ids``, or all of them; answer how much is unread now."""
        try:
            unread = await in_database(self.mark)(frame)
        except ValidationError as error:
            await self.refuse("validation_error", first_sentence(error.detail))
        except TooMany as refusal:
            await self.refuse("rate_limited", refusal.message, retry_after=refusal.retry_after)
        except SignedOut as refusal:
            await self.refuse("unauthenticated", refusal.message)
            await self.close(UNAUTHENTICATED)
        else:
            self.standing = (unread, self.standing[1])
            await self.reply({"type": "notifications.read", "unread": unread})

    def mark(self, frame: dict[str, Any]) -> int:
        if wait := pour(f"inbox-frames:{self.user_id}", burst=FRAMES_BURST, per_second=FRAMES_PER_SECOND):
            raise TooMany(wait)
        body = ReadSerializer(data={name: frame[name] for name in frame if name not in FRAME})
        body.is_valid(raise_exception=True)
        reader = session_of(self.scope["token"]).user  # whose session may have ended, unheard
        return mark_read(reader, body.validated_data.get("ids"))
