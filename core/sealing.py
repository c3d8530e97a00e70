"""Encryption at rest for what waits somewhere and names a person: in the cache, the task table, an import."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """The sealed text was made with another key, or changed."""


def fernet(key: str, purpose: str) -> Fernet:
    """Derive a Fernet key; keys for two purposes never open each other's texts."""
    digest = hashlib.sha256(f"btf.sealing.{purpose}.{key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def ring(key: str | None, purpose: str) -> MultiFernet:
    keys = [key] if key else [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([fernet(each, purpose) for each in keys])


def seal(value: Any, *, purpose: str, key: str | None = None) -> str:
    """Encrypt a JSON value with ``key``, or with SECRET_KEY where none is given."""
    return ring(key, purpose).encrypt(orjson.dumps(value)).decode()


def unseal(text: str, *, purpose: str, key: str | None = None) -> Any:
    """Decrypt what ``seal`` wrote. Raises Unreadable."""
    try:
        return orjson.loads(ring(key, purpose).decrypt(text.encode()))
    except InvalidToken as error:
        raise Unreadable from error
