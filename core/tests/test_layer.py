"""The bounds of the channel layer between processes."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless
from unittest.mock import AsyncMock, patch

from channels.layers import get_channel_layer
from django.test import SimpleTestCase
from redis.asyncio import ConnectionPool
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import RedisError

from core.layer import CAPACITY, BoundedPubSubLayer, PatientPubSub
from core.testing import on_redis


class BoundedLayerTests(SimpleTestCase):
    @skipUnless(on_redis(), "asks a real Redis")
    async def test_what_is_not_taken_is_dropped_oldest_first(self) -> None:
        layer = get_channel_layer()
        slow, quick = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("room", slow)
        await layer.group_add("room", quick)

        for n in range(CAPACITY + 5):
            await layer.group_send("room", {"type": "note", "n": n})
            self.assertEqual((await layer.receive(quick))["n"], n)

        self.assertEqual([(await layer.receive(slow))["n"] for _ in range(3)], [5, 6, 7])
        await layer.flush()

    async def test_a_channel_that_could_not_be_subscribed_leaves_nothing_behind(self) -> None:
        layer = BoundedPubSubLayer(hosts=["redis://127.0.0.1:1/0"])
        for _ in range(3):
            with self.assertRaises((RedisError, OSError)):
                await layer.new_channel()

        self.assertEqual(layer.channels, {})
        await layer.flush()

    @skipUnless(on_redis(), "asks a real Redis")
    async def test_an_event_is_read_once_for_all_who_hear_it(self) -> None:
        layer = get_channel_layer()
        channels = [await layer.new_channel() for _ in range(3)]
        for channel in channels:
            await layer.group_add("room", channel)

        await layer.group_send("room", {"type": "note"})

        first, *others = [await layer.receive(channel) for channel in channels]
        self.assertTrue(all(other is first for other in others))
        await layer.flush()


@patch("core.layer.RETRY_SECONDS", 0)
class OutageTests(SimpleTestCase):
    async def hear(self, *outcomes: Any) -> tuple[list[Any], list[str]]:
        """Return what was heard of a Redis with these outcomes, and what was logged."""
        pubsub = PatientPubSub(ConnectionPool())
        with (
            patch.object(PubSub, "get_message", AsyncMock(side_effect=outcomes)),
            self.assertLogs("core.layer") as logs,
        ):
            return [await pubsub.get_message() for _ in outcomes], [line.message for line in logs.records]

    async def test_it_is_waited_out_with_one_line(self) -> None:
        heard, lines = await self.hear(RedisDown(), OSError(), RedisDown(), {"data": b"1"})

        self.assertEqual(heard, [None, None, None, {"data": b"1"}])
        self.assertEqual(lines, ["layer_away"])

    async def test_the_next_outage_has_a_line_of_its_own(self) -> None:
        _, lines = await self.hear(RedisDown(), None, RedisDown())

        self.assertEqual(lines, ["layer_away"] * 2)

    @skipUnless(on_redis(), "asks a real Redis")
    async def test_every_loop_listens_patiently(self) -> None:
        layer = get_channel_layer()
        await layer.new_channel()

        (shard,) = layer._shards
        self.assertIsInstance(shard._pubsub, PatientPubSub)
        await layer.flush()
