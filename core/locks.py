"""Locks that a database session holds and that end with it (PostgreSQL 13.3.5, advisory locks).

So the death of whoever holds one is noticed at once. They need a session of one's own, which there is none of
behind a pooler in transaction mode (``DB_POOLED``), nor on SQLite.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator


def exist() -> bool:
    """Tell whether sessions here are one's own, and so can hold locks."""
    pooled = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
    return connection.vendor == "postgresql" and not pooled


def take(name: str) -> bool:
    """Hold a lock until ``let_go``, or until this session ends; False where another session holds it."""
    return ask("pg_try_advisory_lock", name)


def let_go(name: str) -> None:
    """Give a lock back; nothing happens where it went with a session before."""
    ask("pg_advisory_unlock", name)


@contextmanager
def held_if_free(name: str) -> Iterator[bool | None]:
    """Hold a lock for the block; False where somebody else does, None where there are no locks."""
    if not exist():
        yield None
        return
    is_ours = ask("pg_try_advisory_lock", name)
    try:
        yield is_ours
    finally:
        if is_ours:
            let_go(name)


def ask(function: str, name: str) -> bool:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])
        return bool(cursor.fetchone()[0])
