"""A flood by every door at once, and an answer that is lost on its way (SAFETY B31, B34)."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.core.cache import cache
from django.test import LiveServerTestCase, override_settings
from rest_framework.test import APIClient

from authentication.sessions import open_session
from authentication.tests.signing_in import bearer
from chat.models import Message
from chat.tests.sockets import SocketCase
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from chat.tests.sockets import Socket

PATIENCE_SECONDS: Final = 20


@override_settings(CHAT_BURST=30, CHAT_PER_SECOND=1 / 3600)
class FloodTests(SocketCase):
    async def flood(self, one: Socket, count: int) -> int:
        """Post as fast as possible on one socket; return how many of them were refused."""
        for number in range(count):
            await one.send_json_to({"action": "send_message", "text": str(number)})
        await one.send_json_to({"action": "ping"})
        refused = 0
        while (frame := await one.hears())["type"] != "pong":
            refused += frame.get("error") == "rate_limited"
        return refused

    async def flood_by_rest(self, count: int) -> int:
        answers = [await self.act(call, self.student, "post", self.url, {"text": "x"}) for _ in range(count)]
        self.assertTrue(all("Retry-After" in one.headers for one in answers if one.status_code == 429))
        return sum(one.status_code == 429 for one in answers)

    async def test_on_one_socket_the_burst_is_stored_and_no_more(self) -> None:
        one = await self.opened(self.student)

        refused = await self.flood(one, 100)

        self.assertEqual((await Message.objects.acount(), refused), (30, 70))
        await self.close(one)

    @override_settings(API_WRITES_PER_USER="")
    async def test_nor_is_it_on_five_sockets_and_half_by_rest(self) -> None:
        """Of 500 what is not stored was refused: persisted is what was accepted."""
        sockets = [await self.opened(self.student) for _ in range(5)]

        refused = await asyncio.gather(*(self.flood(one, 50) for one in sockets), self.flood_by_rest(250))

        self.assertEqual((await Message.objects.acount(), sum(refused)), (30, 470))
        await self.close(*sockets)

    async def test_another_person_is_not_held_up_by_it(self) -> None:
        one, friend = await self.opened(self.student), await self.opened(self.friend)
        await self.flood(one, 40)

        await self.post("Hi", self.friend)

        self.assertEqual(await Message.objects.acount(), 31)
        await self.close(one, friend)


class CutConnectionTests(LiveServerTestCase):
    """Over TCP: the client is gone before it reads an answer, and comes again."""

    def setUp(self) -> None:
        cache.clear()
        self.student = make_user()
        self.path = f"/api/groups/{make_group(members=[self.student]).pk}/messages"
        self.access = open_session(self.student, user_agent="").access

    def post_and_cut(self, headers: dict[str, str], body: dict[str, str]) -> None:
        """Send a request, and reset the connection instead of waiting for what is answered."""
        content = json.dumps(body)
        head = {
            "Host": "localhost",
            "Authorization": f"Bearer {self.access}",
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **headers,
        }
        lines = [
            f"POST {self.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in head.items()),
            "",
            content,
        ]
        address = urlsplit(self.live_server_url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.sendall("\r\n".join(lines).encode())
            self.wait_until_stored()

    def wait_until_stored(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not Message.objects.exists():
            self.assertLess(time.monotonic(), until, "the message was never stored")
            time.sleep(0.02)

    def test_what_was_stored_is_found_again_by_either_name(self) -> None:
        proofs: list[tuple[dict[str, str], dict[str, str]]] = [
            ({"Idempotency-Key": "k-1"}, {"text": "Hi"}),
            ({}, {"text": "Hi", "clientId": "a"}),
        ]
        for headers, body in proofs:
            with self.subTest(headers):
                Message.objects.all().delete()
                self.post_and_cut(headers, body)

                again: Any = APIClient().post(
                    self.path, body, format="json", headers=headers, **bearer(self.access)
                )

                self.assertEqual((again.status_code, again.json()["id"]), (200, Message.objects.get().pk))
