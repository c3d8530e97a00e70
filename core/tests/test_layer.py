"""The bounds of the channel layer between processes."""

from __future__ import annotations

from unittest import skipUnless

from channels.layers import get_channel_layer
from django.test import SimpleTestCase
from redis.exceptions import RedisError

from core.layer import CAPACITY, BoundedPubSubLayer
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
