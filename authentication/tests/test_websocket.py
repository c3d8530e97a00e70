"""Sockets: who gets in, what a frame may be, and when a socket ends."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any
from unittest.mock import patch
from weakref import ref

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.test import TransactionTestCase, override_settings
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from authentication.models import SignInSession
from authentication.sessions import end_session, log_out, open_session
from authentication.sweep import sweeper
from authentication.tests.sockets import PatientSocket
from authentication.tokens import read_access
from authentication.websocket import ClientGone
from btf_backend.routing import application
from users.models import User
from users.services.accounts import change_status
from users.tests.factories import make_admin, make_user

URL = "/ws/session/"


def waiting() -> dict[str, Any]:
    """Return the channels of open sockets, with what waits for them."""
    layer: Any = get_channel_layer()
    return dict(layer.channels)


class SocketTests(TransactionTestCase):
    def setUp(self) -> None:
        self.user, self.admin = make_user(), make_admin()
        self.pair = open_session(self.user, user_agent="")

    def socket(self, path: str, **headers: str) -> PatientSocket:
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return PatientSocket(application, path, headers=pairs)

    async def opened(self, token: str) -> PatientSocket:
        socket = self.socket(f"{URL}?token={token}")
        self.assertTrue((await socket.connect())[0])
        self.assertEqual(await socket.receive_json_from(), {"type": "connection.established"})
        return socket

    async def close_code(self, path: str, **headers: str) -> int:
        socket = self.socket(path, **headers)
        self.assertTrue((await socket.connect())[0])
        return int((await socket.receive_output())["code"])

    async def test_every_place_for_the_token_is_read(self) -> None:
        access = self.pair.access
        for path, headers in (
            (f"{URL}?token={access}", {}),
            (f"/ws/session?access_token={access}", {}),
            (URL, {"Authorization": f"Bearer {access}"}),
        ):
            with self.subTest(path[:20]):
                socket = self.socket(path, **headers)
                self.assertTrue((await socket.connect())[0])
                self.assertEqual((await socket.receive_json_from())["type"], "connection.established")
                await socket.disconnect()

    async def test_no_bad_refresh_and_suspended_tokens_close_with_4401_after_accepting(self) -> None:
        """B65: the client sees the code."""
        for token in ("", "a.b.c", self.pair.refresh):
            with self.subTest(token[:5]):
                self.assertEqual(await self.close_code(f"{URL}?token={token}"), 4401)
        await User.objects.filter(pk=self.user.pk).aupdate(status="inactive")
        self.assertEqual(await self.close_code(f"{URL}?token={self.pair.access}"), 4401)

    async def test_an_unknown_path_closes_with_4404(self) -> None:
        self.assertEqual(await self.close_code("/ws/nowhere/"), 4404)

    @override_settings(CORS_ALLOWED_ORIGINS=["https://app.example.org"])
    async def test_a_foreign_page_is_refused_before_accept(self) -> None:
        """SAFETY B28, CONTRACT D23."""
        path = f"{URL}?token={self.pair.access}"
        foreign = ["https://evil.test", "null", "https://app.example.org.evil.test", "http://app.example.org"]
        foreign += ["http://[", "https://app.example.org/evil", ""]
        for origin in foreign:
            with self.subTest(origin):
                self.assertFalse((await self.socket(path, Origin=origin).connect())[0])
        socket = self.socket(path, Origin="https://app.example.org")
        self.assertTrue((await socket.connect())[0])
        await socket.disconnect()
        with override_settings(CORS_ALLOW_ALL_ORIGINS=True):
            socket = self.socket(path, Origin="https://evil.test")
            self.assertTrue((await socket.connect())[0])
            await socket.disconnect()

    async def test_cookies_alone_open_nothing(self) -> None:
        self.assertEqual(await self.close_code(URL, Cookie=f"token={self.pair.access}; sessionid=x"), 4401)

    async def test_no_frame_closes_the_socket(self) -> None:
        """B64."""
        socket = await self.opened(self.pair.access)
        frames: list[tuple[dict[str, Any], str]] = [
            ({"text_data": "no json"}, "invalid_payload"),
            ({"text_data": "[1]"}, "invalid_payload"),
            ({"text_data": '"text"'}, "invalid_payload"),
            ({"text_data": "[" * 5_000}, "invalid_payload"),
            ({"bytes_data": b"\x00\xff"}, "invalid_payload"),
            ({"text_data": '{"action": "fly"}'}, "unknown_action"),
            ({"text_data": '{"action": 5}'}, "unknown_action"),
            ({"text_data": '{"action": "__class__"}'}, "unknown_action"),
            ({"text_data": "{}"}, "unknown_action"),
            ({"text_data": json.dumps({"action": "ping", "x": "y" * 70_000})}, "frame_too_large"),
        ]
        for frame, slug in frames:
            with self.subTest(slug):
                await socket.send_to(**frame)
                answer = await socket.receive_json_from()
                self.assertEqual((answer["type"], answer["error"]), ("error", slug))
                self.assertEqual(answer["payload"]["detail"], answer["detail"])
        await socket.send_json_to({"type": "ping"})
        self.assertEqual(await socket.receive_json_from(), {"type": "pong"})
        await socket.disconnect()

    async def test_what_ends_the_session_closes_its_socket(self) -> None:
        """SAFETY B13, B18."""
        session = await SignInSession.objects.aget()
        ends = [
            lambda: change_status(self.user, status="inactive", by=self.admin),
            lambda: log_out(self.pair.refresh),
            lambda: end_session(session, reason="signed_out"),
        ]
        for number, end in enumerate(ends):
            with self.subTest(number):
                await User.objects.aupdate(status="active")
                await SignInSession.objects.aupdate(revoked_at=None)
                socket = await self.opened(self.pair.access)
                await sync_to_async(end)()
                self.assertEqual((await socket.receive_output(timeout=2))["code"], 4401)

    async def test_another_session_keeps_its_socket(self) -> None:
        other = await sync_to_async(open_session)(self.user, user_agent="")
        socket = await self.opened(other.access)

        await sync_to_async(log_out)(self.pair.refresh)

        self.assertTrue(await socket.receive_nothing(timeout=0.3))
        await socket.disconnect()

    async def test_it_closes_when_the_access_token_runs_out(self) -> None:
        claims = read_access(self.pair.access)._replace(expires_at=0.0)
        with patch("authentication.handshakes.read_access", return_value=claims):
            socket = await self.opened(self.pair.access)
            self.assertEqual((await socket.receive_output(timeout=2))["code"], 4401)

    async def test_a_client_that_goes_while_it_is_told_something_is_no_outage(self) -> None:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            async def send_until_gone(message: dict[str, Any]) -> None:
                if message["type"] == "websocket.send":
                    raise ConnectionResetError
                await send(message)

            await application(scope, receive, send_until_gone)

        socket = PatientSocket(serve, f"{URL}?token={self.pair.access}")
        with self.assertNoLogs("authentication.websocket"):
            self.assertTrue((await socket.connect())[0])
            await socket.wait()

        self.assertEqual(len(sweeper.sockets), 0)
        self.assertEqual(waiting(), {})

    async def test_a_client_that_goes_while_it_is_told_of_an_event_leaves_no_channel(self) -> None:
        layer: Any = get_channel_layer()
        socket = await self.opened(self.pair.access)
        consumer: Any = next(iter(sweeper.sockets))
        with patch.object(consumer, "base_send", side_effect=ClientGone):
            event = {"type": "socket.close", "session": None, "code": 4401}
            for _ in range(3):
                await layer.send(consumer.channel_name, event)
            await socket.wait()

        self.assertEqual(waiting(), {})

    async def test_a_store_that_is_down_closes_with_1013(self) -> None:
        """SAFETY: connecting during an outage is refused cleanly, wherever the outage shows first."""
        layer = get_channel_layer()
        outages = [
            patch("authentication.websocket.session_by", side_effect=OperationalError),
            patch.object(layer, "group_add", side_effect=RedisDown),
            patch.object(layer, "new_channel", side_effect=RedisDown),
        ]
        for number, outage in enumerate(outages):
            with self.subTest(number), outage:
                self.assertEqual(await self.close_code(f"{URL}?token={self.pair.access}"), 1013)

    async def test_an_event_that_got_lost_closes_the_socket_late_but_surely(self) -> None:
        """SAFETY R21: the sweep finds ended sessions and suspended people."""
        for change in ({"revoked_at": timezone.now()}, {"user__status": "inactive"}):
            with self.subTest(str(change)), patch.object(sweeper, "every_seconds", 0.05):
                socket = await self.opened(self.pair.access)
                if "revoked_at" in change:
                    await SignInSession.objects.aupdate(**change)
                else:
                    await User.objects.aupdate(status="inactive")
                self.assertEqual((await socket.receive_output(timeout=2))["code"], 4401)
                await SignInSession.objects.aupdate(revoked_at=None)

    async def test_the_sweep_survives_an_outage_and_leaves_the_others_open(self) -> None:
        with patch.object(sweeper, "every_seconds", 0.05):
            socket = await self.opened(self.pair.access)
            with patch("authentication.sweep.live_sessions", side_effect=OperationalError):
                self.assertTrue(await socket.receive_nothing(timeout=0.2))
            self.assertTrue(await socket.receive_nothing(timeout=0.2))
            await socket.disconnect()

    async def test_one_that_fails_to_close_keeps_no_other_open(self) -> None:
        first, second = await self.opened(self.pair.access), await self.opened(self.pair.access)
        broken = next(iter(sweeper.sockets))
        await SignInSession.objects.aupdate(revoked_at=timezone.now())
        with patch.object(broken, "close", side_effect=RuntimeError):
            await sweeper.sweep()

        codes = [await self.code_or_silence(socket) for socket in (first, second)]
        self.assertEqual(sorted(codes), [0, 4401])
        await first.disconnect()
        await second.disconnect()

    async def code_or_silence(self, socket: PatientSocket) -> int:
        if await socket.receive_nothing(timeout=0.2):
            return 0
        return int((await socket.receive_output())["code"])

    async def test_a_socket_that_has_gone_is_not_watched_any_more(self) -> None:
        socket = await self.opened(self.pair.access)
        self.assertEqual(len(sweeper.sockets), 1)

        await socket.disconnect()

        self.assertEqual(len(sweeper.sockets), 0)

    async def test_nothing_of_one_that_has_gone_stays(self) -> None:
        """Not even until the garbage is collected."""
        socket = await self.opened(self.pair.access)
        (consumer,) = (ref(each) for each in sweeper.sockets)

        gc.disable()
        self.addCleanup(gc.enable)
        await socket.disconnect()
        await asyncio.sleep(0.01)  # in which what was cancelled ends

        self.assertIsNone(consumer())

    async def test_one_that_goes_as_it_is_told_something_leaves_no_channel(self) -> None:
        """Both at once: what it was told has been taken, so nobody waits on the channel."""
        layer: Any = get_channel_layer()
        socket = await self.opened(self.pair.access)
        consumer: Any = next(iter(sweeper.sockets))
        for _ in range(3):
            await layer.send(consumer.channel_name, {"type": "socket.recheck"})

        await socket.disconnect()

        self.assertEqual(waiting(), {})

    async def test_frames_that_come_at_once_leave_others_their_turn(self) -> None:
        socket = await self.opened(self.pair.access)
        consumer: Any = next(iter(sweeper.sockets))
        turns: list[str] = []

        async def on_ping(frame: dict[str, Any]) -> None:
            turns.append("ping")

        consumer.on_ping = on_ping
        for _ in range(3):
            await socket.send_json_to({"action": "ping"})
        async with asyncio.timeout(5):
            while turns.count("ping") < 3:
                turns.append("another")
                await asyncio.sleep(0)

        self.assertNotIn("ping ping", " ".join(turns))
        del consumer.on_ping
        await socket.disconnect()

    async def test_events_and_frames_are_handled_one_at_a_time(self) -> None:
        """A frame that waits for the database is answered before what is told meanwhile."""
        layer: Any = get_channel_layer()
        socket = await self.opened(self.pair.access)
        consumer: Any = next(iter(sweeper.sockets))
        may_go_on = asyncio.Event()

        async def on_wait(frame: dict[str, Any]) -> None:
            await may_go_on.wait()
            await consumer.reply({"type": "pong"})

        consumer.on_wait = on_wait
        await socket.send_json_to({"action": "wait"})
        await layer.send(consumer.channel_name, {"type": "socket.close", "code": 4401, "session": None})
        self.assertTrue(await socket.receive_nothing(timeout=0.1))
        may_go_on.set()

        self.assertEqual(await socket.receive_json_from(), {"type": "pong"})
        self.assertEqual((await socket.receive_output())["code"], 4401)
        del consumer.on_wait

    async def test_a_frame_is_measured_in_bytes(self) -> None:
        socket = await self.opened(self.pair.access)

        await socket.send_to(text_data=json.dumps({"action": "\U0001f9ec" * 17_000}, ensure_ascii=False))

        self.assertEqual((await socket.receive_json_from())["error"], "frame_too_large")
        await socket.disconnect()
