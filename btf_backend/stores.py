"""The stores of the two profiles, as Django configures them; ``settings`` picks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from btf_backend.env import env, env_bool

Store = dict[str, Any]

DISK: Final[Store] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
MEMORY_LAYER: Final[Store] = {"BACKEND": "channels.layers.InMemoryChannelLayer"}


def sqlite(path: Path) -> Store:
    """One file: readers never wait for the writer (WAL), writers queue at BEGIN."""
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options}


def postgresql() -> Store:
    """Persistent, health-checked connections; no statement runs or waits for ever.

    A server whose host vanished is noticed in ten seconds; TCP's own patience is a quarter of an hour.
    Behind a pooler in transaction mode a session is somebody else's after each transaction: no cursors
    that outlive one, and limits of time belong to the role, since a pooler passes no options on.
    """
    is_pooled = env_bool("DB_POOLED", default=False)
    limits = {} if is_pooled else {"options": "-c statement_timeout=30s -c lock_timeout=10s"}
    network = {
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
    }
    return {
        "ENGINE": "core.postgresql",
        "NAME": env("DB_NAME", "btf_db"),
        "USER": env("DB_USER", "btf_user"),
        "PASSWORD": env("DB_PASSWORD"),
        "HOST": env("DB_HOST", "localhost"),
        "PORT": env("DB_PORT", "5432"),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": is_pooled,
        "OPTIONS": {"connect_timeout": 2, **limits, **network},
    }


def memory_cache(name: str) -> Store:
    """This process's memory. The bound is high: culling would drop budgets and challenges at random."""
    return {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": name,
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }


def redis_cache(url: str) -> Store:
    """JSON, since a pickle runs code for whoever reaches Redis; short time-outs, one try: down is down."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.3,
            "SOCKET_TIMEOUT": 0.3,
            "CONNECTION_POOL_KWARGS": {"retry": None, "max_connections": 100},
        },
    }


def redis_layer(url: str, prefix: str) -> Store:
    """Publish and subscribe: unlike the core layer it keeps its sockets when Redis dies."""
    host = {
        "address": url,
        "socket_connect_timeout": 0.3,
        "socket_timeout": 0.3,
        "retry": Retry(NoBackoff(), 0),
    }
    return {
        "BACKEND": "core.layer.BoundedPubSubLayer",
        "CONFIG": {"hosts": [host], "prefix": prefix, "serializer_format": "json"},
    }


def s3(vultr: Mapping[str, str]) -> Store:
    """A private bucket: files leave only through links that check the reader's right."""
    return {
        "BACKEND": "core.uploads.bucket.BucketStorage",
        "OPTIONS": {
            "access_key": vultr["ACCESS_KEY"],
            "secret_key": vultr["SECRET_KEY"],
            "bucket_name": vultr["BUCKET_NAME"],
            "endpoint_url": vultr["S3_ENDPOINT"],
            "region_name": env("VULTR_S3_REGION", "sgp1"),
            "default_acl": env("VULTR_DEFAULT_ACL", "private"),
            "custom_domain": env("VULTR_S3_CUSTOM_DOMAIN") or None,
            "location": env("VULTR_KEY_PREFIX"),
            "file_overwrite": True,  # names are random: to ask for each is one more request that may stall
            "max_memory_size": 1_048_576,  # bytes of an opened file in memory; the rest on disk
        },
    }
