"""Tickets for sockets: one socket each, of the browser that asked, within 30 seconds (SAFETY B27)."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final
from unittest.mock import Mock, patch

from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache import cache
from django.test import TransactionTestCase, override_settings
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient

from authentication.models import SignInSession
from authentication.sessions import log_out, open_session
from authentication.tests.signing_in import SignInTestCase, bearer, refresh
from authentication.tests.sockets import PatientSocket
from authentication.tickets import TICKET_SECONDS, issue_ticket, key_of, redeem_ticket
from authentication.tokens import InvalidToken, OurAccess
from btf_backend.routing import application
from core.breaker import Breaker
from core.testing import in_parallel
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_user

URL: Final = reverse("socket-ticket")
SOCKET: Final = "/ws/session/"
FIREFOX, CHROME = "Mozilla/5.0 Firefox/140.0", "Mozilla/5.0 Chrome/140.0"


def buy(access: str, *, browser: str = FIREFOX) -> Any:
    return APIClient(raise_request_exception=False).post(
        URL, headers={"User-Agent": browser}, **bearer(access)
    )


class AskingTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user()
        self.pair = open_session(self.user, user_agent=FIREFOX)

    def test_a_ticket_is_made_for_whoever_is_signed_in(self) -> None:
        response = buy(self.pair.access)

        body = response.json()
        self.assertEqual((response.status_code, set(body)), (201, {"ticket", "expiresIn"}))
        self.assertEqual((len(body["ticket"]), body["expiresIn"]), (43, 30))
        self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_each_is_another(self) -> None:
        self.assertEqual(len({buy(self.pair.access).json()["ticket"] for _ in range(5)}), 5)

    def test_nobody_gets_one_by_anything_but_an_access_token(self) -> None:
        ticket = buy(self.pair.access).json()["ticket"]
        for token in ("", "a.b.c", self.pair.refresh, ticket):
            with self.subTest(token[:5]):
                self.assertEqual(buy(token).status_code, 401)
        self.assertEqual(APIClient().post(URL).status_code, 401)

    def test_a_ticket_is_no_token(self) -> None:
        """SAFETY B17: ticket as access."""
        ticket = buy(self.pair.access).json()["ticket"]

        self.assertEqual(self.client.get(reverse("users:me"), **bearer(ticket)).status_code, 401)
        self.assertEqual(refresh(self.client, ticket).status_code, 401)

    @override_settings(API_WRITES_PER_USER="2/1m")
    def test_they_count_as_writes_of_their_person(self) -> None:
        answers = [buy(self.pair.access) for _ in range(3)]

        self.assertEqual([answer.status_code for answer in answers], [201, 201, 429])
        self.assertIn("Retry-After", answers[-1].headers)
        other = open_session(make_user(), user_agent="").access
        self.assertEqual(buy(other).status_code, 201)

    def test_while_the_cache_is_away_there_are_none(self) -> None:
        with patch("authentication.tickets.cache", Mock(**{"set.side_effect": RedisDown})):
            response = buy(self.pair.access)

        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "5"))
        self.assertEqual(response.json()["code"], "service_unavailable")

    def test_the_cache_learns_neither_ticket_nor_token(self) -> None:
        """SAFETY B40."""
        with patch("authentication.tickets.cache", Mock(wraps=cache)) as store:
            ticket = buy(self.pair.access).json()["ticket"]

        ((key, value, seconds), _) = store.set.call_args
        self.assertEqual((key, seconds), (key_of(ticket), TICKET_SECONDS))
        for secret in (ticket, self.pair.access, self.pair.access.split(".")[2], FIREFOX):
            self.assertNotIn(secret, f"{key} {value}")


class RedeemingTests(SignInTestCase):
    def redeem(self, ticket: str, browser: str = FIREFOX) -> str | None:
        try:
            return redeem_ticket(ticket, user_agent=browser)
        except InvalidToken:
            return None

    def test_it_is_good_once(self) -> None:
        ticket = issue_ticket("a.b.c", user_agent=FIREFOX)

        self.assertEqual([self.redeem(ticket) for _ in range(3)], ["a.b.c", None, None])

    def test_of_12_at_once_one_has_it(self) -> None:
        for _ in range(10):
            ticket = issue_ticket("a.b.c", user_agent=FIREFOX)

            outcomes = in_parallel(lambda _, ticket=ticket: self.redeem(ticket), 12)  # type: ignore[misc]

            self.assertEqual(sorted(map(str, outcomes)), ["None"] * 11 + ["a.b.c"])

    def test_another_browser_uses_it_up(self) -> None:
        ticket = issue_ticket("a.b.c", user_agent=FIREFOX)

        self.assertEqual([self.redeem(ticket, CHROME), self.redeem(ticket)], [None, None])

    def test_it_is_dead_after_its_time(self) -> None:
        with patch("authentication.tickets.TICKET_SECONDS", 1):
            ticket = issue_ticket("a.b.c", user_agent=FIREFOX)
        time.sleep(1.1)

        self.assertIsNone(self.redeem(ticket))

    def test_whoever_writes_into_the_cache_makes_none_up(self) -> None:
        ticket, other = (issue_ticket("a.b.c", user_agent=FIREFOX) for _ in range(2))
        cache.set(key_of(ticket), cache.get(key_of(other)), 30)

        self.assertIsNone(self.redeem(ticket))


class SocketTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.user = make_user()
        self.group = make_group(members=[self.user])
        self.pair = open_session(self.user, user_agent=FIREFOX)
        self.ticket = buy(self.pair.access).json()["ticket"]

    def socket(self, query: str, *, path: str = SOCKET, browser: str = FIREFOX) -> PatientSocket:
        headers = [(b"user-agent", browser.encode())]
        return PatientSocket(application, f"{path}?{query}", headers=headers)

    async def opened(self, query: str, **how: str) -> PatientSocket:
        socket = self.socket(query, **how)
        self.assertTrue((await socket.connect())[0])
        self.assertEqual((await socket.receive_json_from())["type"], "connection.established")
        return socket

    async def close_code(self, query: str, **how: str) -> int:
        """B65: it is accepted first, or the client would not see the code."""
        socket = self.socket(query, **how)
        self.assertTrue((await socket.connect())[0])
        return int((await socket.receive_output())["code"])

    async def bought(self) -> str:
        response = await sync_to_async(buy)(self.pair.access)
        return str(response.json()["ticket"])

    async def test_it_opens_every_socket_once(self) -> None:
        for path in (SOCKET, "/ws/notifications/", f"/ws/chat/groups/{self.group.pk}/"):
            with self.subTest(path):
                ticket = await self.bought()
                socket = await self.opened(f"ticket={ticket}", path=path)
                self.assertEqual(await self.close_code(f"ticket={ticket}", path=path), 4401)
                await socket.disconnect()

    async def test_one_that_is_altered_of_another_browser_or_no_ticket_at_all_is_4401(self) -> None:
        altered = f"{self.ticket[:-1]}{'A' if self.ticket[-1] != 'A' else 'B'}"
        for ticket in (altered, "x", self.pair.access, self.pair.refresh, "%00", "%ff", "é" * 5_000):
            with self.subTest(ticket[:8]):
                self.assertEqual(await self.close_code(f"ticket={ticket}"), 4401)
        self.assertEqual(await self.close_code(f"ticket={self.ticket}", browser=CHROME), 4401)

    async def test_a_ticket_in_the_place_of_a_token_is_4401(self) -> None:
        self.assertEqual(await self.close_code(f"token={self.ticket}"), 4401)
        await (await self.opened(f"ticket={self.ticket}")).disconnect()

    async def test_a_ticket_decides_alone(self) -> None:
        self.assertEqual(await self.close_code(f"ticket=x&token={self.pair.access}"), 4401)
        await (await self.opened(f"ticket={self.ticket}&token=x")).disconnect()

    async def test_a_session_that_ended_since_opens_nothing(self) -> None:
        await sync_to_async(log_out)(self.pair.refresh)

        self.assertEqual(await self.close_code(f"ticket={self.ticket}"), 4401)

    async def test_nor_does_one_of_somebody_who_was_suspended(self) -> None:
        await User.objects.filter(pk=self.user.pk).aupdate(status="inactive")

        self.assertEqual(await self.close_code(f"ticket={self.ticket}"), 4401)

    async def test_nor_does_an_access_token_that_ran_out_since(self) -> None:
        access = OurAccess(self.pair.access)  # type: ignore[arg-type]  # the stubs say Token
        access["exp"] = int(time.time()) - 1
        ticket = issue_ticket(str(access), user_agent=FIREFOX)

        self.assertEqual(await self.close_code(f"ticket={ticket}"), 4401)

    async def test_the_socket_ends_when_the_token_does_that_bought_it(self) -> None:
        access = OurAccess(self.pair.access)  # type: ignore[arg-type]  # the stubs say Token
        access["exp"] = int(time.time()) + 2
        ticket = (await sync_to_async(buy)(str(access))).json()["ticket"]

        socket = await self.opened(f"ticket={ticket}")

        self.assertEqual((await socket.receive_output(timeout=4))["code"], 4401)

    async def test_the_socket_ends_with_its_session(self) -> None:
        socket = await self.opened(f"ticket={self.ticket}")

        await sync_to_async(log_out)(self.pair.refresh)

        self.assertEqual((await socket.receive_output(timeout=2))["code"], 4401)

    async def test_one_can_post_on_it(self) -> None:
        """Each frame asks anew whether the session lives."""
        socket = await self.opened(f"ticket={self.ticket}", path=f"/ws/chat/groups/{self.group.pk}/")

        await socket.send_json_to({"action": "send_message", "text": "Hi"})
        self.assertEqual((await socket.receive_json_from())["type"], "message.created")
        await SignInSession.objects.aupdate(revoked_at="2026-01-01T00:00:00Z")
        await socket.send_json_to({"action": "send_message", "text": "Hi"})

        self.assertEqual((await socket.receive_json_from())["error"], "unauthenticated")
        self.assertEqual((await socket.receive_output())["code"], 4401)

    async def test_while_the_cache_is_away_it_is_told_to_come_back(self) -> None:
        with patch("authentication.tickets.cache", Mock(**{"get.side_effect": RedisDown})):
            self.assertEqual(await self.close_code(f"ticket={self.ticket}"), 1013)
        await (await self.opened(f"ticket={self.ticket}")).disconnect()

    @override_settings(STORE_REST_SECONDS=60)
    async def test_a_cache_that_did_not_answer_is_not_asked_by_everybody(self) -> None:
        """SAFETY R2."""
        dead = Mock(**{"get.side_effect": RedisDown})
        with patch("authentication.tickets.cache", dead), patch("authentication.tickets.counters", Breaker()):
            codes = [await self.close_code(f"ticket={self.ticket}") for _ in range(5)]

        self.assertEqual((codes, dead.get.call_count), ([1013] * 5, 1))

    def test_five_handshakes_at_once_open_one_socket(self) -> None:
        async def race() -> list[str]:
            sockets = [self.socket(f"ticket={self.ticket}") for _ in range(5)]
            await asyncio.gather(*(socket.connect() for socket in sockets))
            frames = await asyncio.gather(*(socket.receive_output() for socket in sockets))
            await asyncio.gather(*(socket.disconnect() for socket in sockets))
            return sorted(frame["type"] for frame in frames)

        self.assertEqual(async_to_sync(race)(), ["websocket.close"] * 4 + ["websocket.send"])
