"""Asking a server over HTTP, and what is compared of its answers."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final

HEADERS: Final = (
    "content-type",
    "cache-control",
    "x-request-id",
    "www-authenticate",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
)


@dataclass(frozen=True)
class Answer:
    """One answer; its body is JSON."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def compared(self) -> str:
        """Return status, the headers that count, and body as one text, whatever the order of keys."""
        given = {name.lower(): value for name, value in self.headers.items()}
        counted = {name: words(given.get(name, "")) for name in HEADERS}
        return json.dumps([self.status, counted, self.body], sort_keys=True, ensure_ascii=False)


def words(value: str) -> list[str]:
    return sorted(word.strip() for word in value.split(","))


def ask(host: str, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
    """Send one request on a connection of its own. Raises OSError."""
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path, body, {**headers, "Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), json.loads(response.read() or b"null"))
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
