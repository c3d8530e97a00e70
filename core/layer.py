"""The channel layer between processes, with bounds: what a slow socket leaves waiting is dropped.

A room is a channel of Redis. Those of people share one, since each person's is opened and closed with their
socket, and seldom hears anything. A socket's own channel lies in its process alone.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from channels.exceptions import InvalidChannelLayerError
from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from channels_redis.utils import _consistent_hash, _wrap_close, decode_hosts
from redis import Redis
from redis.asyncio.client import PubSub
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import TimeoutError as RedisSilent
from redis.retry import Retry

from core.breaker import SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

OF_PEOPLE: Final = "user."  # how such rooms' names begin (``core.realtime``)
CAPACITY: Final = 100  # events that wait for one socket
RETRY_SECONDS: Final = 1.0
# Of the tenths of a second for which the layer listens at a time. Not of the clock: while the process is
# busy it hears nothing, and Redis may be well.
QUIET_ROUNDS: Final = 20
SILENT_ROUNDS: Final = 40


class PatientPubSub(PubSub):
    """Waits out an outage. The original raises each second, and the layer logs that with its traceback.

    A connection on which nothing comes may have gone without a word: it is asked for a sign of life, and
    dropped where none comes. The original sends the question, and does not miss the answer.
    """

    is_away = False
    quiet = 0

    async def get_message(self, *args: Any, **kwargs: Any) -> Any:
        try:
            message = await super().get_message(*args, **kwargs)
        except SILENCE as error:
            if not self.is_away:
                logger.warning("layer_away", extra={"store_error": type(error).__name__})
            self.is_away, self.quiet = True, 0
            await asyncio.sleep(RETRY_SECONDS)
            return None
        self.is_away = False
        return message

    async def parse_response(self, *args: Any, **kwargs: Any) -> Any:
        response = await super().parse_response(*args, **kwargs)
        self.quiet = self.quiet + 1 if response is None else 0
        if self.quiet == QUIET_ROUNDS:
            await self.ping()
        elif self.quiet >= SILENT_ROUNDS:
            if self.connection is not None:
                await self.connection.disconnect(nowait=True)
            raise RedisSilent
        return response


class PatientConnection(RedisSingleShardConnection):  # type: ignore[misc]
    """One event loop's connection to Redis."""

    async def subscribe(self, channel: str) -> None:
        """Subscribe, once for all sockets of the process; during an outage everybody is told so."""
        if getattr(self._pubsub, "is_away", False):
            raise RedisDown
        await super().subscribe(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Unsubscribe. If that fails, nobody knows what Redis has heard: who joins next subscribes again."""
        async with self._lock:
            if channel in self._subscribed_to:
                self._subscribed_to.remove(channel)
                self._ensure_redis()
                self._ensure_receiver()
                await self._pubsub.unsubscribe(channel)

    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            self._pubsub = PatientPubSub(self._redis.connection_pool)  # type: ignore[attr-defined]

    def _receive_message(self, message: dict[str, Any] | None) -> None:
        # What is not said in a room is a sign of life.
        if message is not None and message["type"] == "message":
            self.channel_layer.hear(message["channel"].decode(), message["data"])


class Mailbox:
    """The events that wait for one socket, of which the oldest goes first where there are too many.

    A queue's locks and counts are of no use to the one who reads it; to hand on an event costs half as much.
    """

    def __init__(self) -> None:
        self.waiting: deque[dict[str, Any]] = deque(maxlen=CAPACITY)
        self.bell: asyncio.Future[None] | None = None

    def put(self, event: dict[str, Any]) -> None:
        self.waiting.append(event)
        if self.bell is not None and not self.bell.done():
            self.bell.set_result(None)

    async def take(self) -> dict[str, Any]:
        """Return the oldest; waits while there is none."""
        while not self.waiting:
            self.bell = asyncio.get_running_loop().create_future()
            await self.bell
        return self.waiting.popleft()


class BoundedLoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    """One event loop's part of the layer. ``groups`` has the channels of the sockets in each room."""

    def __init__(self, hosts: Any = None, **kwargs: Any) -> None:
        super().__init__(hosts, **kwargs)
        self._shards = [PatientConnection(host, self) for host in decode_hosts(hosts)]

    async def new_channel(self, prefix: str = "specific.") -> str:
        channel = f"{self.prefix}{prefix}{uuid.uuid4().hex}"
        self.channels[channel] = Mailbox()
        return channel

    async def receive(self, channel: str) -> Any:
        try:
            return await self.channels[channel].take()
        except (asyncio.CancelledError, GeneratorExit):
            # Its reader has gone. One who goes while something is handed to them drops it in ``leave``.
            self.channels.pop(channel, None)
            raise

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send to one socket of this process. Whom others may reach is in a room."""
        if channel not in self.channels:
            raise InvalidChannelLayerError(f"{channel} is no channel of this process")
        self.channels[channel].put(message)

    async def group_add(self, group: str, channel: str) -> None:
        self.groups.setdefault(group, set()).add(channel)
        line = line_of(group, self.prefix)
        await self._get_shard(line).subscribe(line)

    async def group_discard(self, group: str, channel: str) -> None:
        sockets = self.groups.get(group, set())
        sockets.discard(channel)
        if not sockets and self.groups.pop(group, None) is not None and not group.startswith(OF_PEOPLE):
            line = line_of(group, self.prefix)
            await self._get_shard(line).unsubscribe(line)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        line = line_of(group, self.prefix)
        await self._get_shard(line).publish(line, self.channel_layer.serialize(told(group, message)))

    def hear(self, line: str, data: bytes) -> None:
        """Hand an event to those in its room. It is read once, and they share it."""
        event = self.channel_layer.deserialize(data)
        if line == line_of(OF_PEOPLE, self.prefix):
            room, event = event["room"], event["event"]
        else:
            room = line.removeprefix(line_of("", self.prefix))
        for channel in self.groups.get(room, ()):
            if channel in self.channels:
                self.channels[channel].put(event)


def line_of(room: str, prefix: str) -> str:
    """Return the channel of Redis in which a room is rung."""
    return f"{prefix}__group__{OF_PEOPLE if room.startswith(OF_PEOPLE) else room}"


def told(room: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as it is said there: of people's rooms, with which of them is meant."""
    return {"room": room, "event": event} if room.startswith(OF_PEOPLE) else event


class BoundedPubSubLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Publish and subscribe; the oldest goes first. The original keeps all, however much it becomes.

    Whoever needs every event finds out itself what it missed: ``chat.consumers`` by revisions, the
    others by their sweeps.
    """

    @property
    def receive(self) -> Callable[[str], Coroutine[Any, Any, Any]]:
        """How one event loop waits for the next event of a channel: each socket does, after each."""
        take: Callable[[str], Coroutine[Any, Any, Any]] = self._get_layer().receive
        return take

    def group_send_now(self, group: str, message: dict[str, Any]) -> None:
        """Do what ``group_send`` does, from a thread: on a connection that stays, without an event loop."""
        line = line_of(group, self._kwargs.get("prefix", "asgi"))
        store = self.stores[_consistent_hash(line, len(self.stores))]
        store.publish(line, self.serialize(told(group, message)))

    @cached_property
    def stores(self) -> list[Redis]:
        """The same servers for threads."""
        hosts = [dict(host) for host in decode_hosts(self._kwargs.get("hosts"))]
        return [
            Redis.from_url(host.pop("address"), **{**host, "retry": Retry(NoBackoff(), 0)}) for host in hosts
        ]

    def _get_layer(self) -> RedisPubSubLoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = BoundedLoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return self._layers[loop]
