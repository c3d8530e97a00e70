"""A group's conversation over a socket: what happens, in order and without gaps, as its reader may see it."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, Final

from django.db import DataError, IntegrityError
from rest_framework.exceptions import ValidationError

from authentication.requests import session_of
from authentication.websocket import SignedInConsumer
from chat.places import known, place_of
from chat.realtime import Kind, event_of, is_present, ring_typing, text_for
from chat.replay import missed
from chat.serializers.messages import NewMessageSerializer
from chat.services.history import revision_of
from chat.services.posting import Draft, admit_frame, post_message
from chat.standing import standing_of
from chat.sweep import sweeper
from core.exceptions import first_sentence
from core.realtime import FLOODED, FORBIDDEN, TRY_LATER, UNAUTHENTICATED, UNKNOWN
from core.refusals import Forbidden, Missing, Refused, SignedOut, TooMany
from core.roles import Role
from core.threads import in_database
from core.uploads.links import links_of_scope

if TYPE_CHECKING:
    from authentication.models import SignInSession
    from chat.access import Reader
    from chat.places import Place
    from chat.realtime import Event
    from chat.standing import Standing
    from groups.models import Group
    from users.models import User

REVISION: Final = re.compile("[0-9]{1,19}")
FLOODS_BORNE: Final = 100
TYPING_EVERY_SECONDS: Final = 2.0
RIGHTS_EVERY_SECONDS: Final = 1.0
CODES: Final = ((SignedOut, UNAUTHENTICATED), (Missing, UNKNOWN), (Forbidden, FORBIDDEN))


class GroupChatConsumer(SignedInConsumer):
    """One socket is one person in one group.

    ``cursor`` is the revision up to which its client has been told everything that it may know. An event
    that follows on it is forwarded; one that does not has others before it, which are read from the
    database. So nothing depends on the channel layer but speed.
    """

    kind = "chat"
    group: Group
    reader: Reader
    found: Standing | int
    place: Place
    room = ""
    cursor = 0
    rights: Any = None
    is_in = False
    floods = 0
    is_of_group = False
    typed_at = -TYPING_EVERY_SECONDS

    async def join_more(self) -> None:
        """Join the room that other sockets know the group by, then ask who comes, and whether they may.

        Who joins first hears all that was posted after the question, so once is enough. Where nobody knew the
        room, ``opened`` joins and asks again.
        """
        if (place := known.get(self.asked_for)) is not None:
            self.room = place.room
            await self.join(self.room)

    def identify(self) -> SignInSession:
        """Read beside the session as what its person would be here, or the code of the refusal."""
        session = super().identify()
        try:
            self.found = standing_of(session.user, self.asked_for)
        except Refused as refusal:
            self.found = code_of(refusal)
        return session

    async def opened(self) -> None:
        """Say where the conversation stands, and what was missed ``?after=``; close where they may not be."""
        self.turn, self.door = asyncio.Lock(), asyncio.Lock()
        if isinstance(self.found, int):
            await self.close(self.found)
            return
        if not await (self.stand(self.found) if self.room else self.join_first(self.found)):
            return
        self.is_in = True
        self.links = links_of_scope(self.scope, self.user_id)
        # What a supervisor sees hangs on links, too: of those the first round of the sweep asks.
        self.rights = None if self.user.role == Role.SUPERVISOR else (self.group.access_version, None)
        revision, after = revision_of(self.group), self.scope["query"].get("after", [""])[0]
        self.cursor = min(int(after), revision) if REVISION.fullmatch(after) else revision
        await self.reply({"type": "connection.established", "groupId": self.group_id, "revision": revision})
        sweeper.watch(self)
        await self.catch_up(revision)

    @property
    def asked_for(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["group_id"])

    @property
    def group_id(self) -> str:
        return str(self.group.pk)

    @property
    def user_id(self) -> int:
        return int(self.user.pk)

    async def join_first(self, standing: Standing) -> bool:
        """Join the room that nobody here knew, and ask again: something may have changed before."""
        self.place = place_of(standing.group)
        self.room = self.place.room
        await self.join(self.room)
        return await self.enter()

    async def stand(self, standing: Standing) -> bool:
        """Be there as what was read; closes where the group by this id has another room than was joined.

        What was heard there may be another group's, and must not be told.
        """
        self.group, self.reader, self.is_of_group = standing
        self.place = place_of(self.group)
        if self.place.room != self.room:
            await self.close(TRY_LATER)
        return self.place.room == self.room

    async def enter(self) -> bool:
        """Find out whether, and as what, the person is in the group; closes where they are not.

        One after the other: what was asked first must not overwrite what has been learnt since.
        """
        try:
            async with self.door:
                self.user, standing = await in_database(self.look)()
                return await self.stand(standing)
        except Refused as refusal:
            await self.close(code_of(refusal))
            return False

    def look(self) -> tuple[User, Standing]:
        user = session_of(self.scope["token"]).user
        return user, standing_of(user, self.asked_for)

    async def leave(self) -> None:
        sweeper.unwatch(self)
        await super().leave()

    async def socket_recheck(self, event: dict[str, Any]) -> None:
        await self.recheck()

    async def recheck(self) -> None:
        """Ask again whether, and as what, the person may stay."""
        if self.is_in:
            await self.enter()

    async def chat_event(self, event: Event) -> None:
        """Forward what ``chat.realtime`` rang the room with; a gap is read from the database."""
        if not self.is_in:
            return
        async with self.turn:
            if event["revision"] == self.cursor + 1:
                await self.forward(event)
                self.cursor = event["revision"]
                return
        await self.catch_up(event["revision"])

    async def chat_aside(self, event: Event) -> None:
        """Forward what is true for a moment only, to everybody but whom it is about."""
        if self.is_in and event["payload"]["user"]["id"] != self.user_id:
            await self.reply({"type": event["kind"], "payload": event["payload"]})

    async def catch_up(self, revision: int) -> None:
        """Tell whatever changed after the cursor, in order, as it is now: at least up to that revision.

        While this goes on no ring is heard, so every second the person's rights are asked for.
        """
        asked_at = time.monotonic()
        async with self.turn:
            while self.cursor < revision and not self.is_closing:
                events, reached = await missed(self.group_id, self.cursor, by=self.user_id)
                while events:
                    await self.forward(events.popleft())
                    await asyncio.sleep(0)  # a send that need not wait lets nobody else have a turn
                if reached == self.cursor:
                    return  # the conversation has gone
                self.cursor = reached
                if reached < revision and time.monotonic() - asked_at > RIGHTS_EVERY_SECONDS:
                    asked_at = time.monotonic()
                    await self.recheck()

    async def forward(self, event: Event) -> None:
        text = text_for(event, self.reader, self.links)
        if text is not None:
            await self.tell(text)

    async def on_typing(self, frame: dict[str, Any]) -> None:
        """Tell the others, at most once in two seconds."""
        now = time.monotonic()
        # That an admin or a supervisor looks in is not told, as with reading.
        if self.is_of_group and now - self.typed_at >= TYPING_EVERY_SECONDS:
            self.typed_at = now
            await ring_typing(self.user, group=self.group)

    async def on_send_message(self, frame: dict[str, Any]) -> None:
        """Post, by the same road as over HTTP. The message comes back to everybody in the group."""
        try:
            event = await in_database(self.post)(frame)
        except ValidationError as error:
            await self.refuse("validation_error", first_sentence(error.detail))
        except TooMany as refusal:
            await self.slow_down(refusal)
        except Refused as refusal:
            await self.refused(refusal)
        except (IntegrityError, DataError):
            await self.refuse("conflict", "This conflicts with what is stored.")
        else:
            self.floods = 0
            if event is not None:
                await self.repeat(event)

    async def repeat(self, event: Event) -> None:
        """Tell the sender alone of a message that was posted before, unless it has changed since (D26).

        A change is told by itself, and must not be overwritten. What came before is told first: a client
        counts on having all up to a revision that it reads.
        """
        await self.catch_up(event["revision"])
        async with self.turn:
            if await in_database(is_present)(event):
                await self.forward(event)

    async def slow_down(self, refusal: TooMany) -> None:
        """Say when to go on; close on those who do not listen."""
        self.floods += 1
        if self.floods > FLOODS_BORNE:
            await self.close(FLOODED)
        else:
            await self.refuse("rate_limited", refusal.message, retry_after=refusal.retry_after)

    def post(self, frame: dict[str, Any]) -> Event | None:
        """Return the event to tell the sender alone: of a message that was posted before (D26)."""
        admit_frame(self.user_id)
        body = NewMessageSerializer(data=frame)
        body.is_valid(raise_exception=True)
        author = session_of(self.scope["token"]).user  # whose session may have ended, unheard
        message, is_new = post_message(
            group_id=self.group_id, author=author, draft=Draft(**body.validated_data)
        )
        return None if is_new else event_of(Kind.CREATED, message, before=message.Sight.ALL)

    async def refused(self, refusal: Refused) -> None:
        """Say what is wrong, and close where the person may not be here any more."""
        code = code_of(refusal)
        await self.refuse("unauthenticated" if code == UNAUTHENTICATED else refusal.code, refusal.message)
        if code != TRY_LATER:
            await self.close(code)


def code_of(refusal: Refused) -> int:
    return next((code for kind, code in CODES if isinstance(refusal, kind)), TRY_LATER)
