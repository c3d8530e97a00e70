"""Budgets over sliding windows, exact under any concurrency.

``1/30s,5/15m`` is at most one in any 30 seconds and at most five in any 15 minutes.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.core.cache import caches
from django.utils.crypto import salted_hmac
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from core.breaker import Breaker, Resting
from core.watching import metrics

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache

logger = logging.getLogger(__name__)

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

# KEYS[1] the log; ARGV: now in ms, a unique member, then pairs of count and window in ms.
# Answers the wait in ms; 0 means taken. The log keeps no more than its longest window.
TAKE = """
local now, longest, wait = tonumber(ARGV[1]), 0, 0
for i = 3, #ARGV, 2 do longest = math.max(longest, tonumber(ARGV[i + 1])) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
for i = 3, #ARGV, 2 do
  local count, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local nth = redis.call('ZREVRANGE', KEYS[1], count - 1, count - 1, 'WITHSCORES')
  if nth[2] then wait = math.max(wait, tonumber(nth[2]) + window - now) end
end
if wait <= 0 then
  redis.call('ZADD', KEYS[1], now, ARGV[2])
  redis.call('PEXPIRE', KEYS[1], longest)
  return 0
end
return wait
"""

# KEYS[1] the moment in ms up to which the bucket is spoken for; ARGV: now, ms a token, tokens in all.
# Answers the wait in ms; 0 means taken (GCRA, ITU-T I.371).
POUR = """
local now, each, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spoken = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local wait = spoken + each - burst * each - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], spoken + each, 'PX', math.ceil(burst * each))
return 0
"""

# KEYS[1] as above; ARGV: ms a token. A bucket without a key is as full as it can be.
POUR_BACK = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECRBY', KEYS[1], ARGV[1]) end
return 0
"""

AWAY = (RedisError, ConnectionInterrupted, Resting)

memory_lock = Lock()
counters = Breaker()


@dataclass(frozen=True)
class Limit:
    """At most ``count`` in any ``window_ms`` milliseconds."""

    count: int
    window_ms: int


@lru_cache
def parse_limits(text: str) -> tuple[Limit, ...]:
    """Read ``count/number and unit`` pairs; the empty text is no limit at all."""
    limits = []
    for part in filter(None, text.split(",")):
        count, window = part.split("/")
        limits.append(Limit(int(count), int(window[:-1]) * UNIT_SECONDS[window[-1]] * 1000))
    return tuple(limits)


def take(bucket: str, rates: str, *, store: str = "default") -> int:
    """Take one place in every window of the bucket, or in none of them.

    Returns 0 when taken, else the whole seconds until a place is free. Atomic on Redis (one
    script) and in memory (one lock). Raises Redis's errors: the caller decides what an outage
    means for its budget.
    """
    limits = parse_limits(rates)
    if not limits:
        return 0
    cache = caches[store]
    now = int(time.time() * 1000)
    key = key_of(bucket)
    wait = (
        take_on_redis(cache, key, limits, now)
        if isinstance(cache, RedisCache)
        else take_in_memory(cache, key, limits, now)
    )
    return math.ceil(wait / 1000)


def key_of(bucket: str) -> str:
    """Return a digest: a bucket may be named by an address, which the store must not learn."""
    return f"limit:{salted_hmac('core.limits', bucket, algorithm='sha256').hexdigest()[:32]}"


def take_or_fall_back(bucket: str, rates: str) -> int:
    """Take like ``take``; while Redis is down, from this process's own memory: bounded all the same."""
    if not rates:
        return 0
    try:
        with counters.asking():
            return take(bucket, rates)
    except AWAY:
        tell_that_redis_is_away()
        return take(bucket, rates, store="local")


def give_back(bucket: str, rates: str) -> None:
    """Give back the newest place that ``take_or_fall_back`` gave, and of which nothing came. Best effort."""
    if not (limits := parse_limits(rates)):
        return
    key, cache = key_of(bucket), caches["default"]
    if isinstance(cache, RedisCache):
        try:
            with counters.asking():
                cache.client.get_client(write=True).zpopmax(str(cache.make_key(key)))
        except AWAY:
            tell_that_redis_is_away()
            cache = caches["local"]
        else:
            return
    with memory_lock:
        longest = max(limit.window_ms for limit in limits)
        cache.set(key, cache.get(key, [])[:-1], timeout=longest / 1000)


def tell_that_redis_is_away() -> None:
    logger.warning("throttle_in_process")
    metrics.counted_alone.inc()


def pour(bucket: str, *, burst: int, per_second: float) -> int:
    """Take a token from a bucket that holds ``burst`` and is filled ``per_second``.

    Returns 0 when taken, else the whole seconds until there is one. Atomic like ``take``; while Redis
    is down each process counts for itself.
    """
    key, now, each = key_of(bucket), int(time.time() * 1000), round(1000 / per_second)
    cache = caches["default"]
    if isinstance(cache, RedisCache):
        try:
            with counters.asking():
                connection = cache.client.get_client(write=True)
                wait = int(connection.eval(POUR, 1, str(cache.make_key(key)), now, each, burst))
            return math.ceil(wait / 1000)
        except AWAY:
            tell_that_redis_is_away()
            cache = caches["local"]
    return math.ceil(pour_in_memory(cache, key, now, each=each, burst=burst) / 1000)


def pour_in_memory(cache: BaseCache, key: str, now: int, *, each: int, burst: int) -> int:
    with memory_lock:
        spoken = max(now, int(cache.get(key, 0)))
        if (wait := spoken + each - burst * each - now) <= 0:
            cache.set(key, spoken + each, timeout=burst * each / 1000)
            return 0
    return wait


def pour_back(bucket: str, *, per_second: float) -> None:
    """Give back a token that ``pour`` gave, and of which nothing came. Best effort, while Redis is away."""
    key, each, cache = key_of(bucket), round(1000 / per_second), caches["default"]
    if isinstance(cache, RedisCache):
        try:
            with counters.asking():
                cache.client.get_client(write=True).eval(POUR_BACK, 1, str(cache.make_key(key)), each)
        except AWAY:
            tell_that_redis_is_away()
            cache = caches["local"]
        else:
            return
    # In memory, too, nothing is kept of a bucket that is full.
    with memory_lock, suppress(ValueError):
        cache.decr(key, each)


def take_on_redis(cache: Any, key: str, limits: tuple[Limit, ...], now: int) -> int:
    pairs = [number for limit in limits for number in (limit.count, limit.window_ms)]
    connection = cache.client.get_client(write=True)
    return int(connection.eval(TAKE, 1, str(cache.make_key(key)), now, uuid.uuid4().hex, *pairs))


def take_in_memory(cache: BaseCache, key: str, limits: tuple[Limit, ...], now: int) -> int:
    longest = max(limit.window_ms for limit in limits)
    with memory_lock:
        log = [moment for moment in cache.get(key, []) if moment > now - longest]
        waits = [log[-limit.count] + limit.window_ms - now for limit in limits if len(log) >= limit.count]
        if (wait := max(waits, default=0)) <= 0:
            cache.set(key, [*log, now], timeout=longest / 1000)
            return 0
    return wait
