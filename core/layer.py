"""The channel layer between processes, with bounds: what a slow socket leaves waiting is dropped."""

from __future__ import annotations

import asyncio
from typing import Final

from channels_redis.core import BoundedQueue
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from channels_redis.utils import _wrap_close

CAPACITY: Final = 100  # events that wait for one socket


class BoundedLoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    """One event loop's part of the layer."""

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
    others by their sweeps.
    """

    def _get_layer(self) -> RedisPubSubLoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = BoundedLoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return self._layers[loop]
