"""The bounds of the channel layer between processes."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import skipUnless
from unittest.mock import AsyncMock, patch
from urllib.parse import urlsplit

from channels.exceptions import InvalidChannelLayerError
from channels.layers import get_channel_layer
from django.conf import settings
from django.test import SimpleTestCase
from redis.asyncio import ConnectionPool
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import RedisError

from core.layer import CAPACITY, BoundedPubSubLayer, Mailbox, PatientPubSub
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

    @skipUnless(on_redis(), "asks a real Redis")
    async def test_an_answer_to_a_ping_keeps_nobody_waiting(self) -> None:
        """It is no event, and the library's receiver is deaf for a second after whatever it cannot take."""
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("room", channel)
        (shard,) = layer._shards

        with self.assertNoLogs():
            await shard._pubsub.ping()
            await layer.group_send("room", {"type": "note"})
            self.assertEqual(await asyncio.wait_for(layer.receive(channel), 0.9), {"type": "note"})
        await layer.flush()

    async def test_a_reader_who_gave_up_keeps_the_next_from_nothing(self) -> None:
        mailbox = Mailbox()
        reader = asyncio.ensure_future(mailbox.take())
        await asyncio.sleep(0)
        reader.cancel()  # and has not heard of it when the first event comes
        for n in range(2):
            mailbox.put({"n": n})

        self.assertEqual([await mailbox.take() for _ in range(2)], [{"n": 0}, {"n": 1}])

    async def test_a_room_that_could_not_be_subscribed_leaves_nothing_behind(self) -> None:
        layer = BoundedPubSubLayer(hosts=["redis://127.0.0.1:1/0"])
        for _ in range(3):
            channel = await layer.new_channel()
            with self.assertRaises((RedisError, OSError)):
                await layer.group_add("room", channel)
            await layer.group_discard("room", channel)

        self.assertEqual(layer.groups, {})
        await layer.flush()

    async def test_a_channel_goes_with_its_reader(self) -> None:
        layer = BoundedPubSubLayer(hosts=["redis://127.0.0.1:1/0"])
        reader = asyncio.ensure_future(layer.receive(await layer.new_channel()))
        await asyncio.sleep(0)
        reader.cancel()
        await asyncio.wait([reader])

        self.assertEqual(layer.channels, {})
        await layer.flush()

    @skipUnless(on_redis(), "asks a real Redis")
    async def test_a_room_whose_leaving_failed_half_way_is_subscribed_again(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("room", channel)
        (shard,) = layer._shards
        unsubscribe = shard._pubsub.unsubscribe

        async def unsubscribe_without_an_answer(line: str) -> None:
            await unsubscribe(line)
            raise RedisDown

        outage = patch.object(shard._pubsub, "unsubscribe", unsubscribe_without_an_answer)
        with outage, self.assertRaises(RedisDown):
            await layer.group_discard("room", channel)

        await layer.group_add("room", channel)
        await layer.group_send("room", {"type": "note"})
        self.assertEqual(await asyncio.wait_for(layer.receive(channel), 5), {"type": "note"})
        await layer.flush()

    async def test_one_socket_is_reached_from_its_own_process_alone(self) -> None:
        layer = BoundedPubSubLayer(serializer_format="json")
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "note"})

        self.assertEqual(await layer.receive(channel), {"type": "note"})
        with self.assertRaises(InvalidChannelLayerError):
            await layer.send("asgispecific.elsewhere", {"type": "note"})
        await layer.flush()

    @skipUnless(on_redis(), "asks a real Redis")
    async def test_a_thread_rings_the_same_room(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("room", channel)

        await asyncio.to_thread(layer.group_send_now, "room", {"type": "note"})

        self.assertEqual(await layer.receive(channel), {"type": "note"})
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

    @skipUnless(on_redis(), "asks a real Redis")
    def test_a_thread_whose_connection_has_died_rings_over_a_new_one(self) -> None:
        layer: Any = get_channel_layer()
        (store,) = layer.stores
        layer.group_send_now("room", {"type": "note"})
        with store.client() as another:
            another.client_kill_filter(_id=store.client_id())

        layer.group_send_now("room", {"type": "note"})


class Line:
    """What lies between us and Redis, and may lose every connection there is without a word."""

    def __init__(self, address: str) -> None:
        self.address = urlsplit(address)
        self.ends: list[asyncio.StreamWriter] = []
        self.lost: set[asyncio.StreamWriter] = set()

    async def open(self) -> str:
        """Return the address of this end."""
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        host, port = self.server.sockets[0].getsockname()
        login = self.address.netloc.rpartition("@")[0]
        place = f"{login}@{host}:{port}" if login else f"{host}:{port}"
        return self.address._replace(netloc=place).geturl()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection(self.address.hostname, self.address.port or 6379)
        self.ends += [writer, far[1]]
        await asyncio.gather(self.carry(reader, far[1]), self.carry(far[0], writer))

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if target not in self.lost:
                target.write(data)
        if target not in self.lost:
            target.close()

    def lose(self) -> None:
        self.lost.update(self.ends)

    async def close(self) -> None:
        for end in self.ends:
            end.close()
        self.server.close()
        await self.server.wait_closed()


@patch("core.layer.RETRY_SECONDS", 0)
class SilenceTests(SimpleTestCase):
    """A connection that goes without a word, as over a firewall that forgot it."""

    @skipUnless(on_redis(), "asks a real Redis")
    @patch("core.layer.QUIET_ROUNDS", 2)
    @patch("core.layer.SILENT_ROUNDS", 4)
    async def test_it_is_noticed_and_opened_anew(self) -> None:
        line = Line(settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"])
        near = BoundedPubSubLayer(hosts=[await line.open()], serializer_format="json")
        far = BoundedPubSubLayer(hosts=[line.address.geturl()], serializer_format="json")
        channel = await near.new_channel()
        await near.group_add("room", channel)

        with self.assertLogs("core.layer", "WARNING") as logs:
            line.lose()
            await asyncio.sleep(1.5)

        await far.group_send("room", {"type": "note"})
        self.assertEqual(await asyncio.wait_for(near.receive(channel), 5), {"type": "note"})
        self.assertEqual([record.message for record in logs.records], ["layer_away"])
        for layer in (near, far):
            await layer.flush()
        await line.close()

    @skipUnless(on_redis(), "asks a real Redis")
    @patch("core.layer.QUIET_ROUNDS", 2)
    @patch("core.layer.SILENT_ROUNDS", 4)
    async def test_one_on_which_nothing_is_said_is_kept(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("room", channel)

        with self.assertNoLogs():
            await asyncio.sleep(1)

        await layer.group_send("room", {"type": "note"})
        self.assertEqual(await layer.receive(channel), {"type": "note"})
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
        await layer.group_add("room", await layer.new_channel())

        (shard,) = layer._shards
        self.assertIsInstance(shard._pubsub, PatientPubSub)
        await layer.flush()
