"""What people notice while Redis neither answers nor refuses for ten seconds.

By hand, on a private PostgreSQL that ends with it (``make drill PART=redis_frozen``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/redis_frozen.py

8 people post twice a second over gunicorn, with the limits of production, while 20 listen at two uvicorn
processes; in the midst Redis is stopped (SIGSTOP). Fails unless every post is answered with 201 at the first
try, in that time within 1 s, and every listener has the whole list, in order and in its first connection.
"""

from __future__ import annotations

import asyncio
import time
from itertools import chain
from typing import Final

import faults
from chat_kill import Drill, play, settle

MESSAGES, WRITERS, LISTENERS = 40, 8, 20
PAUSE_SECONDS: Final = 0.5
BEFORE_SECONDS, FROZEN_SECONDS = 4, 10
SLOWEST_SECONDS: Final = 1.0


class FrozenRedis(Drill):
    """The same clients, and another misfortune."""

    frozen_at = thawed_at = 0.0

    async def disturb(self) -> None:
        await asyncio.sleep(BEFORE_SECONDS)
        self.frozen_at = time.monotonic()
        self.redis.freeze()
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            self.redis.thaw()
            self.thawed_at = time.monotonic()

    def posts(self) -> list[float]:
        """Return how long the posts took that were sent while Redis was frozen."""
        sent_at, took = self.posting.sent_at, self.posting.took
        return [took[name] for name, moment in sent_at.items() if self.frozen_at <= moment < self.thawed_at]

    def delays(self, since: float, until: float) -> list[float]:
        """Return how long what was sent in a time took to each listener."""
        sent_at = self.posting.sent_at
        heard = chain.from_iterable(zip(one.heard, one.delays, strict=True) for one in self.listeners)
        return [delay for (_, name), delay in heard if since <= sent_at[name] < until]


def main() -> None:
    drill, is_right = play(FrozenRedis, MESSAGES, WRITERS, LISTENERS, pause=PAUSE_SECONDS)
    print()
    slowest = max(drill.posts())
    faults.spread("post, while frozen", drill.posts())
    faults.spread("delivery before", drill.delays(0.0, drill.frozen_at))
    faults.spread("delivery while frozen", drill.delays(drill.frozen_at, drill.thawed_at))
    faults.spread("delivery after the thaw", drill.delays(drill.thawed_at, float("inf")))
    is_smooth = slowest <= SLOWEST_SECONDS and not drill.posting.failures
    settle(is_right=is_right and is_smooth and all(one.lives == 1 for one in drill.listeners))


if __name__ == "__main__":
    main()
