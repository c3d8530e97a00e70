"""What a socket asks of PostgreSQL and Redis: to be opened, and to hear what is posted."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

import redis.asyncio.connection
import redis.connection
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.realtime import encoded
from chat.tests.sockets import SocketCase
from core.realtime import send_to_room
from core.testing import on_redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from chat.tests.sockets import Socket
    from users.models import User

ACQUAINTING = {"HELLO", "CLIENT", "SELECT", "AUTH", "PING"}
SYNC: Any = redis.connection.AbstractConnection
ASYNC: Any = redis.asyncio.connection.AbstractConnection


@contextmanager
def commands_to_redis() -> Iterator[list[str]]:
    """Yield what is said to Redis inside, over all connections, but for their own getting acquainted."""
    said: list[str] = []
    by_thread, by_loop = SYNC.send_command, ASYNC.send_command

    def note(command: str) -> None:
        if command not in ACQUAINTING:
            said.append(command)

    def send(line: Any, *args: Any, **kwargs: Any) -> Any:
        note(args[0])
        return by_thread(line, *args, **kwargs)

    async def send_in_loop(line: Any, *args: Any, **kwargs: Any) -> Any:
        note(args[0])
        return await by_loop(line, *args, **kwargs)

    with patch.object(SYNC, "send_command", send), patch.object(ASYNC, "send_command", send_in_loop):
        yield said


@asynccontextmanager
async def queries() -> AsyncIterator[list[str]]:
    """Yield a list that has the SQL of what was asked inside, once that is over."""
    captured, asked = CaptureQueriesContext(connection), list[str]()
    await sync_to_async(captured.__enter__)()
    try:
        yield asked
    finally:
        await sync_to_async(captured.__exit__)(None, None, None)
        asked += await sync_to_async(lambda: [query["sql"] for query in captured.captured_queries])()


class CostTests(SocketCase):
    async def open_counted(self, user: User) -> tuple[Socket, list[str], list[str]]:
        """Return somebody's open socket, and what that asked of PostgreSQL and of Redis."""
        path = f"{self.path}?token={await self.token(user)}"
        async with queries() as asked:
            with commands_to_redis() as said:
                socket = await self.knock(path)
                await socket.hears()
                await socket.asks({"action": "ping"})
        return socket, asked, said

    async def test_who_it_is_and_whether_they_may_is_asked_in_two_queries(self) -> None:
        """Nobody has told the first one the room: it asks again once it has joined."""
        first, asked_first, _ = await self.open_counted(self.student)
        second, asked, _ = await self.open_counted(self.friend)

        self.assertEqual((len(asked_first), len(asked)), (4, 2), asked)
        await self.close(first, second)

    async def test_the_room_is_known_until_the_last_one_goes(self) -> None:
        first, second = await self.opened(self.student), await self.opened(self.friend)
        await self.close(second)

        third, asked, _ = await self.open_counted(self.friend)
        await self.close(first, third)
        last, asked_last, _ = await self.open_counted(self.friend)

        self.assertEqual((len(asked), len(asked_last)), (2, 4), asked)
        await self.close(last)

    @skipUnless(on_redis(), "asks a real Redis")
    async def test_it_costs_the_two_budgets_and_no_subscription_of_its_own(self) -> None:
        first = await self.opened(self.student)
        second, _, said = await self.open_counted(self.friend)

        self.assertEqual(said, ["EVAL", "EVAL"])
        await self.close(first, second)

    async def test_a_message_costs_the_same_however_many_hear_it(self) -> None:
        for listeners in (1, 8):
            with self.subTest(listeners):
                sockets = [await self.opened(self.friend) for _ in range(listeners)]
                with patch("chat.realtime.send_to_room") as bell:
                    posted = await self.post("Hi")
                async with queries() as asked:
                    with (
                        commands_to_redis() as said,
                        patch("chat.realtime.encoded", side_effect=encoded) as made,
                    ):
                        await self.act(send_to_room, *bell.call_args.args)
                        heard = [(await socket.hears())["payload"]["id"] for socket in sockets]

                self.assertEqual(heard, [posted["id"]] * listeners)
                self.assertEqual(asked, [])
                if on_redis():  # the layer of the embedded profile gives each socket a copy
                    self.assertEqual((said, made.call_count), (["PUBLISH"], 1))
                await self.close(*sockets)
