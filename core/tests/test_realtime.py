"""Ringing the sockets: a dead layer is a log line, never a failed request."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, patch

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.test import SimpleTestCase, override_settings
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisSilent

from core.breaker import Breaker
from core.layer import BoundedPubSubLayer
from core.realtime import close_sockets, recheck_sockets, ring, room_of_user, send_to_room

EVENT = {"type": "chat.event", "payload": "lovelace@example.org"}


class RealtimeTests(SimpleTestCase):
    def layer(self, **group_send: Any) -> Any:
        return patch(
            "core.realtime.get_channel_layer", **{"return_value.group_send": AsyncMock(**group_send)}
        )

    def test_the_room_hears_the_event(self) -> None:
        with self.layer() as get_layer:
            self.assertTrue(send_to_room("room", EVENT))

        get_layer.return_value.group_send.assert_awaited_once_with("room", EVENT)

    async def test_a_socket_in_the_room_receives_it(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("room.of.test", channel)

        await layer.group_send("room.of.test", EVENT)

        self.assertEqual(await layer.receive(channel), EVENT)
        await layer.group_discard("room.of.test", channel)
        await layer.flush()

    def test_a_layer_that_is_away_is_a_log_line_without_the_content(self) -> None:
        for error in (RedisConnectionError("10.0.0.7"), OSError(), ChannelFull(), TimeoutError()):
            with self.subTest(type(error).__name__), self.layer(side_effect=error):
                with self.assertLogs("core.realtime", "WARNING") as logs:
                    self.assertFalse(send_to_room("room", EVENT))

                line = vars(logs.records[0])
                self.assertEqual(line["message"], "fan_out_failed")
                self.assertEqual(
                    (line["event_type"], line["store_error"]), ("chat.event", type(error).__name__)
                )
                self.assertNotIn("lovelace", str(line))

    def test_a_redis_that_refuses_is_told_at_once(self) -> None:
        dead = BoundedPubSubLayer(hosts=["redis://127.0.0.1:1/0"])
        with patch("core.realtime.get_channel_layer", return_value=dead), self.assertLogs("core.realtime"):
            self.assertFalse(send_to_room("room", EVENT))

    @override_settings(STORE_REST_SECONDS=60)
    def test_a_layer_that_did_not_answer_is_not_waited_for_again(self) -> None:
        """SAFETY R2."""
        with (
            patch("core.realtime.doorbell", Breaker()),
            self.layer(side_effect=TimeoutError) as get_layer,
            self.assertLogs("core.realtime") as logs,
        ):
            self.assertEqual([send_to_room("room", EVENT) for _ in range(3)], [False] * 3)

        get_layer.return_value.group_send.assert_awaited_once()
        errors = [vars(record)["store_error"] for record in logs.records]
        self.assertEqual(errors, ["TimeoutError", "Resting", "Resting"])

    @override_settings(STORE_REST_SECONDS=60)
    def test_who_loses_rights_is_told_though_a_message_was_not_heard(self) -> None:
        """SAFETY R21. One after the other: while Redis is away, each does not wait for it."""
        with (
            patch("core.realtime.doorbell", Breaker()),
            patch("core.realtime.alarm", Breaker()),
            self.layer(side_effect=[RedisSilent, None, None, RedisSilent]),
            self.assertLogs("core.realtime"),
        ):
            told = [
                send_to_room("room", EVENT),
                close_sockets(room="room", code=4401),
                recheck_sockets(room="room"),
                *(close_sockets(room="room", code=4401) for _ in range(2)),
            ]

        self.assertEqual(told, [False, True, True, False, False])

    @override_settings(STORE_REST_SECONDS=60)
    async def test_that_we_are_busy_is_no_fault_of_the_layer(self) -> None:
        async def answer(*_: Any) -> None:
            await answers.pop(0)

        answers = [asyncio.Event().wait(), asyncio.sleep(0)]
        with (
            patch("core.realtime.RING_SECONDS", 0.01),
            patch("core.realtime.doorbell", Breaker()),
            self.layer(side_effect=answer),
            self.assertLogs("core.realtime"),
        ):
            self.assertEqual([await ring("room", EVENT) for _ in range(2)], [False, True])

    @override_settings(STORE_REST_SECONDS=60)
    def test_a_full_layer_is_there(self) -> None:
        with (
            patch("core.realtime.doorbell", Breaker()),
            self.layer(side_effect=[ChannelFull, None]),
            self.assertLogs("core.realtime"),
        ):
            self.assertEqual([send_to_room("room", EVENT) for _ in range(2)], [False, True])

    async def test_nobody_waits_for_ever_for_their_turn(self) -> None:
        async def wait(*_: Any) -> None:
            await asyncio.Event().wait()

        with (
            patch("core.realtime.RING_SECONDS", 0.01),
            self.layer(side_effect=wait),
            self.assertLogs("core.realtime"),
        ):
            self.assertFalse(await ring("room", EVENT))

    def test_a_mistake_of_ours_is_not_swallowed(self) -> None:
        with self.layer(side_effect=KeyError("type")), self.assertRaises(KeyError):
            send_to_room("room", EVENT)

    def test_closing_names_the_code_and_the_session(self) -> None:
        with self.layer() as get_layer:
            close_sockets(room=room_of_user(5), code=4401, session=7)

        get_layer.return_value.group_send.assert_awaited_once_with(
            "user.5", {"type": "socket.close", "code": 4401, "session": 7}
        )
