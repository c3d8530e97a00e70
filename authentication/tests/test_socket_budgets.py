"""How many sockets may be opened: by a source and by a person, whatever becomes of Redis (SAFETY B31)."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self
from unittest.mock import patch

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext

from authentication.sessions import end_all_sessions, open_session
from authentication.tests.sockets import PatientSocket
from btf_backend.routing import application
from btf_backend.stores import redis_cache
from core.breaker import Breaker
from core.threads import CACHE_THREADS
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "/ws/session/"
OPEN, UNAUTHENTICATED, FLOODED, UNKNOWN = 0, 4401, 4429, 4404


class BudgetCase(TransactionTestCase):
    def setUp(self) -> None:
        for store in caches:
            caches[store].clear()
        self.enterContext(patch("core.limits.counters", Breaker()))
        self.user = make_user()
        self.access = open_session(self.user, user_agent="").access

    async def outcome(
        self, token: str = "", *, path: str = URL, peer: str = "192.0.2.1", **headers: str
    ) -> int:
        """Return the close code of a handshake; 0 where a socket was opened. It is closed again."""
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        socket = PatientSocket(application, f"{path}?token={token}", headers=pairs)
        socket.scope["client"] = [peer, 4711]
        self.assertTrue((await socket.connect())[0])
        frame = await socket.receive_output()
        if frame["type"] == "websocket.close":
            return int(frame["code"])
        await socket.disconnect()
        return OPEN

    async def outcomes(self, count: int, *args: str, **how: str) -> list[int]:
        return [await self.outcome(*args, **how) for _ in range(count)]

    @contextmanager
    def no_queries(self) -> Iterator[None]:
        with CaptureQueriesContext(connection) as captured:
            yield
        self.assertEqual([query["sql"] for query in captured.captured_queries], [])


@override_settings(SOCKETS_PER_SOURCE="3/1m")
class SourceTests(BudgetCase):
    def test_anonymous_handshakes_count_by_their_source(self) -> None:
        outcomes = async_to_sync(self.outcomes)(4)

        self.assertEqual(outcomes, [UNAUTHENTICATED] * 3 + [FLOODED])
        self.assertEqual(async_to_sync(self.outcome)(self.access, peer="192.0.2.2"), OPEN)

    def test_whatever_they_ask_for(self) -> None:
        for path, code in ((URL, UNAUTHENTICATED), ("/ws/nowhere/", UNKNOWN), ("/ws/notifications/", 4401)):
            self.assertEqual(async_to_sync(self.outcome)(path=path), code)

        self.assertEqual(async_to_sync(self.outcome)(path="/ws/nowhere/"), FLOODED)

    def test_who_is_refused_asks_no_database(self) -> None:
        async_to_sync(self.outcomes)(3)

        with self.no_queries():
            self.assertEqual(async_to_sync(self.outcomes)(5, self.access), [FLOODED] * 5)

    @override_settings(TRUSTED_PROXY_COUNT=1)
    def test_behind_a_proxy_the_source_is_whom_it_saw(self) -> None:
        for spoofed in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
            async_to_sync(self.outcome)(x_forwarded_for=f"{spoofed}, 203.0.113.9")

        self.assertEqual(async_to_sync(self.outcome)(x_forwarded_for="203.0.113.9"), FLOODED)
        self.assertEqual(async_to_sync(self.outcome)(x_forwarded_for="203.0.113.10"), UNAUTHENTICATED)

    @override_settings(SOCKETS_PER_SOURCE="")
    def test_drills_may_switch_it_off(self) -> None:
        self.assertEqual(async_to_sync(self.outcomes)(5), [UNAUTHENTICATED] * 5)

    def test_a_hostile_page_spends_nothing(self) -> None:
        """SAFETY B28: its handshake is refused before."""

        async def from_evil() -> bool:
            headers = [(b"origin", b"https://evil.example")]
            socket = PatientSocket(application, URL, headers=headers)
            return bool((await socket.connect())[0])

        self.assertEqual([async_to_sync(from_evil)() for _ in range(5)], [False] * 5)
        self.assertEqual(async_to_sync(self.outcome)(self.access), OPEN)


@override_settings(SOCKETS_PER_USER="3/1m")
class PersonTests(BudgetCase):
    def test_a_person_opens_so_many_from_wherever(self) -> None:
        peers = [f"192.0.2.{number}" for number in range(4)]
        outcomes = [async_to_sync(self.outcome)(self.access, peer=peer) for peer in peers]

        self.assertEqual(outcomes, [OPEN] * 3 + [FLOODED])

    def test_and_with_whichever_of_their_sessions(self) -> None:
        other = open_session(self.user, user_agent="").access
        tokens = (self.access, other, self.access, other)
        outcomes = [async_to_sync(self.outcome)(token) for token in tokens]

        self.assertEqual(outcomes, [OPEN] * 3 + [FLOODED])

    def test_others_have_their_own(self) -> None:
        async_to_sync(self.outcomes)(4, self.access)

        other = open_session(make_user(), user_agent="").access
        self.assertEqual(async_to_sync(self.outcome)(other), OPEN)

    def test_who_is_refused_asks_no_database(self) -> None:
        async_to_sync(self.outcomes)(3, self.access)

        with self.no_queries():
            self.assertEqual(async_to_sync(self.outcomes)(5, self.access), [FLOODED] * 5)

    def test_a_stolen_token_of_an_ended_session_keeps_its_owner_off_nothing(self) -> None:
        end_all_sessions(self.user)
        self.assertEqual(async_to_sync(self.outcomes)(5, self.access), [UNAUTHENTICATED] * 5)

        mine = open_session(self.user, user_agent="").access
        self.assertEqual(async_to_sync(self.outcomes)(4, mine), [OPEN] * 3 + [FLOODED])


class SilentRedis:
    """A Redis that takes connections and never says a word, as one that is stopped does."""

    asked = 0

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.keep_silent, "127.0.0.1", 0)
        host, port = self.server.sockets[0].getsockname()[:2]
        self.address = f"redis://{host}:{port}/0"
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()

    async def keep_silent(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        while await reader.read(65_536):
            pass
        writer.close()


@override_settings(STORE_REST_SECONDS=60, SOCKETS_PER_SOURCE="3/1m", SOCKETS_PER_USER="3/1m")
class OutageTests(BudgetCase):
    """SAFETY R2, R3. The breaker rests for a minute, so that each test meets the outage once."""

    def with_cache(self, address: str) -> Any:
        return override_settings(CACHES={**settings.CACHES, "default": redis_cache(address)})

    def test_a_dead_redis_leaves_a_bound(self) -> None:
        dead = self.with_cache("redis://127.0.0.1:1/0")
        with dead, self.assertLogs("core.limits", "WARNING"):
            by_source = async_to_sync(self.outcomes)(4)
            peers = [f"192.0.2.{number}" for number in range(10, 14)]
            by_person = [async_to_sync(self.outcome)(self.access, peer=peer) for peer in peers]

        self.assertEqual(by_source, [UNAUTHENTICATED] * 3 + [FLOODED])
        self.assertEqual(by_person, [OPEN] * 3 + [FLOODED])

    async def test_a_frozen_redis_holds_up_neither_the_loop_nor_those_behind(self) -> None:
        """What others do goes on meanwhile, and who comes later waits for nothing."""
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        async with SilentRedis() as redis:
            with self.with_cache(redis.address), self.assertLogs("core.limits", "WARNING"):
                others = asyncio.create_task(tick())
                handshakes = (self.outcome(peer=f"198.51.100.{number}") for number in range(60))
                outcomes = await asyncio.gather(*handshakes)
                others.cancel()

        self.assertEqual(outcomes, [UNAUTHENTICATED] * 60)
        self.assertIn(redis.asked, range(1, CACHE_THREADS + 1))
        self.assertGreater(ticks, 5)
