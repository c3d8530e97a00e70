"""The channel layer between processes, with bounds: what a slow socket leaves waiting is dropped."""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from typing import Any, Final

from channels_redis.core import BoundedQueue
from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from channels_redis.utils import _wrap_close, decode_hosts
from redis.asyncio.client import PubSub
from redis.exceptions import TimeoutError as RedisSilent

from core.breaker import SILENCE

logger = logging.getLogger(__name__)

CAPACITY: Final = 100  # events that wait for one socket
RECENT: Final = 16  # events that are kept as they were read
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

    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            self._pubsub = PatientPubSub(self._redis.connection_pool)  # type: ignore[attr-defined]


class BoundedLoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    """One event loop's part of the layer."""

    def __init__(self, hosts: Any = None, **kwargs: Any) -> None:
        super().__init__(hosts, **kwargs)
        self._shards = [PatientConnection(host, self) for host in decode_hosts(hosts)]

    async def _subscribe_to_channel(self, channel: str) -> None:
        self.channels[channel] = BoundedQueue(CAPACITY)
        try:
            await self._get_shard(channel).subscribe(channel)
        except BaseException:
            del self.channels[channel]  # nobody will ever read it
            raise


class BoundedPubSubLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Publish and subscribe; the oldest goes first. The original keeps all, however much it becomes.

    Whoever needs every event finds out itself what it missed: ``chat.consumers`` by revisions, the
    others by their sweeps. What comes is read once for all sockets of the process: they share it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.read = lru_cache(RECENT)(self._serializer.deserialize)

    def deserialize(self, message: bytes) -> Any:
        return self.read(message)

    def _get_layer(self) -> RedisPubSubLoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = BoundedLoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return self._layers[loop]
