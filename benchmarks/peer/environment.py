"""What the product's environment says, as far as the peer needs it."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any, Final


def words(name: str, default: str = "") -> list[str]:
    """Return what a variable lists, separated by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


SECRET_KEYS: Final = [os.environ["SECRET_KEY"], *words("SECRET_KEY_FALLBACKS")]


def signature(salt: str, said: bytes, key: str = SECRET_KEYS[0]) -> hmac.HMAC:
    """Return the signature that Django gives under a salt: ``salted_hmac`` with SHA-256."""
    return hmac.new(hashlib.sha256((salt + key).encode()).digest(), said, hashlib.sha256)


CORS_ALLOWED_ORIGINS: Final = words("CORS_ALLOWED_ORIGINS", "http://localhost:5173")
REDIS_URL: Final = os.environ.get("CHANNEL_REDIS_URL") or os.environ["REDIS_URL"]
ROOMS: Final = f"{os.environ.get('CACHE_KEY_PREFIX') or 'btf'}__group__"  # what a room's channel begins with
MEDIA_PUBLIC_BASE_URL: Final = os.environ.get("MEDIA_PUBLIC_BASE_URL", "").rstrip("/")
FILE_LINK_HOURS: Final = int(os.environ.get("FILE_LINK_HOURS") or 12)
MESSAGE_MAX_CHARS: Final = int(os.environ.get("MESSAGE_MAX_CHARS") or 10_000)
# With two processes as many connections as two workers of the product with eight threads each have.
CONNECTIONS: Final = 8
DATABASE: Final[dict[str, Any]] = {
    "database": os.environ.get("DB_NAME") or "btf_db",
    "user": os.environ.get("DB_USER") or "btf_user",
    "password": os.environ.get("DB_PASSWORD", ""),
    "host": os.environ.get("DB_HOST") or "localhost",
    "port": int(os.environ.get("DB_PORT") or 5432),
    "server_settings": {"statement_timeout": "30s", "lock_timeout": "10s"},
}
